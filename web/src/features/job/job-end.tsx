import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Code, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { JobOut } from "~/api/generated";
import classes from "~/features/job/job.module.css";
import { LAST_LOG_LINES, logQuery } from "~/features/job/queries";
import { Saved } from "~/features/job/saved";
import { PageLink } from "~/ui/links";

/** Why it did not complete, in the server's words and the log's last ones, and where to go from here. */
export function JobEnd({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const isFailed = job.status === "failed";
  const log = useQuery({ ...logQuery(job.id, LAST_LOG_LINES), enabled: isFailed && job.container_id !== null });
  const lines = log.data?.data ?? [];
  return (
    <Alert color={isFailed ? "red" : "orange"} title={isFailed ? t`It failed` : t`It ended early`}>
      <Text size="sm" dir="auto">
        {job.error_message}
      </Text>
      <Saved job={job} />
      {lines.length > 0 && (
        <Code block mt="xs" className={classes.code} dir="ltr" aria-label={t`The end of the log`} role="group">
          {lines.join("\n")}
        </Code>
      )}
      <Group gap="md" mt="xs">
        {job.container_id !== null && (
          <PageLink to="/jobs/$id" params={{ id: job.id }} search={{ tab: "log" }} size="sm">
            <Trans>Read the log</Trans>
          </PageLink>
        )}
        {job.end_reason === "dataset_unusable" && (
          <PageLink to="/datasets/$id" params={{ id: job.dataset_id }} size="sm">
            <Trans>Look at the dataset</Trans>
          </PageLink>
        )}
        {isFailed && job.type !== "diagnostic" && (
          <PageLink to="/jobs/new" search={{ from: job.id }} size="sm">
            <Trans>Change its settings in a new job</Trans>
          </PageLink>
        )}
      </Group>
    </Alert>
  );
}
