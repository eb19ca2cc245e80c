import { Trans, useLingui } from "@lingui/react/macro";
import { Paper, Stack, Text, Title } from "@mantine/core";
import type { JobOut } from "~/api/generated";
import type { Draft } from "~/features/new-job/draft";
import { changesSince } from "~/features/new-job/from-job";
import { usePreset } from "~/features/new-job/preset-picker";
import { DifferenceTable } from "~/ui/difference-table";
import { PageLink } from "~/ui/links";
import { jobName, settingText } from "~/ui/names";

/** In what the job that is being put together differs from the one it started from. */
export function Changes({ job, draft }: { job: JobOut; draft: Draft }) {
  const { t } = useLingui();
  const changes = changesSince(job, draft, usePreset(draft.preset ?? null));
  return (
    <Paper withBorder p="md" role="region" aria-label={t`Changes`}>
      <Stack gap="xs">
        <Title order={2} size="h4">
          <Trans>Changes</Trans>
        </Title>
        <Text size="sm">
          <Trans>
            since{" "}
            <PageLink to="/jobs/$id" params={{ id: job.id }}>
              <bdi>{jobName(job)}</bdi>
            </PageLink>
          </Trans>
        </Text>
        {changes.length === 0 ? (
          <Text size="sm" c="dimmed">
            <Trans>None yet: it would be the same job.</Trans>
          </Text>
        ) : (
          <DifferenceTable
            minWidth={220}
            differences={changes.map(({ name, before, now }) => ({ field: name, before: settingText(before), now: settingText(now) }))}
          />
        )}
      </Stack>
    </Paper>
  );
}
