import { Trans, useLingui } from "@lingui/react/macro";
import { Paper, Stack, Table, Text, Title } from "@mantine/core";
import type { JobOut } from "~/api/generated";
import type { Draft } from "~/features/new-job/draft";
import { changesSince } from "~/features/new-job/from-job";
import { usePreset } from "~/features/new-job/preset-picker";
import { PageLink } from "~/ui/links";
import { Sheet } from "~/ui/sheet";

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
              <bdi>{job.name ?? job.id.slice(0, 8)}</bdi>
            </PageLink>
          </Trans>
        </Text>
        {changes.length === 0 ? (
          <Text size="sm" c="dimmed">
            <Trans>None yet: it would be the same job.</Trans>
          </Text>
        ) : (
          <Sheet label={t`What differs`} columns={[t`What differs`, t`before`, t`now`]} minWidth={220}>
            {changes.map(({ name, before, now }) => (
              <Table.Tr key={name} data-changed={name}>
                <Table.Th scope="row" fw={500}>
                  <bdi dir="ltr">{name}</bdi>
                </Table.Th>
                <Table.Td>
                  <bdi dir="ltr">{shown(before)}</bdi>
                </Table.Td>
                <Table.Td>
                  <bdi dir="ltr">{shown(now)}</bdi>
                </Table.Td>
              </Table.Tr>
            ))}
          </Sheet>
        )}
      </Stack>
    </Paper>
  );
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
