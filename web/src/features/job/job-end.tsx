import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Group, Text } from "@mantine/core";
import type { JobOut } from "~/api/generated";
import { PageLink } from "~/ui/links";

/** Why it did not complete, in the server's words, and where to look next. */
export function JobEnd({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const isFailed = job.status === "failed";
  return (
    <Alert color={isFailed ? "red" : "orange"} title={isFailed ? t`It failed` : t`It ended early`}>
      <Text size="sm" dir="auto">
        {job.error_message}
      </Text>
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
      </Group>
    </Alert>
  );
}
