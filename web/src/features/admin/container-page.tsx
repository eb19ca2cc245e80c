import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ContainerOut } from "~/api/generated";
import { ContainerFacts } from "~/features/admin/container-facts";
import { ContainerStateBadge } from "~/features/admin/container-state";
import { containerLogQuery, containerQuery } from "~/features/admin/queries";
import { StopContainer } from "~/features/admin/stop-container";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { PageLink } from "~/ui/links";
import { Loading } from "~/ui/loading";
import { LogLines } from "~/ui/log-lines";
import { numbered } from "~/ui/log-text";
import { Page } from "~/ui/page";
import { Sheet } from "~/ui/sheet";
import { When } from "~/ui/when";

const route = getRouteApi("/signed-in/admin/containers/$id");

export function ContainerPage() {
  const { id } = route.useParams();
  const container = useQuery(containerQuery(id));
  if (container.data === undefined) {
    return container.error ? <Failure error={container.error} /> : <Loading height={320} />;
  }
  return (
    <Page title={container.data.name} actions={<StopContainer container={container.data} />}>
      {/* It ended and was removed while somebody looked: what was known of it stays. */}
      {container.error && <Failure error={container.error} />}
      <Group gap="md">
        <ContainerStateBadge state={container.data.state} />
        {container.data.job_id !== null && (
          <PageLink to="/jobs/$id" params={{ id: container.data.job_id }} size="sm">
            <Trans>To its job</Trans>
          </PageLink>
        )}
        <Text size="sm" c="dimmed">
          <Trans>
            seen <When at={container.data.sampled_at} />
          </Trans>
        </Text>
      </Group>
      <ContainerFacts container={container.data} />
      <Mounts container={container.data} />
      <ContainerLog id={id} />
    </Page>
  );
}

function Mounts({ container }: { container: ContainerOut }) {
  const { t } = useLingui();
  return (
    <Stack gap="xs">
      <Title order={2} size="h4">
        <Trans>Mounts</Trans>
      </Title>
      <Sheet label={t`Mounts`} columns={[t`In the container`, t`On the host`, t`Access`]}>
        {container.mounts.map((mount) => (
          <Table.Tr key={mount.target}>
            <Table.Td dir="ltr">{mount.target}</Table.Td>
            <Table.Td dir="ltr">{mount.source}</Table.Td>
            <Table.Td>{mount.is_read_only ? t`read only` : t`read and write`}</Table.Td>
          </Table.Tr>
        ))}
      </Sheet>
    </Stack>
  );
}

function ContainerLog({ id }: { id: string }) {
  const { t } = useLingui();
  const log = useQuery(containerLogQuery(id));
  return (
    <Stack gap="xs">
      <Title order={2} size="h4">
        <Trans>Log</Trans>
      </Title>
      {log.error && <Failure error={log.error} />}
      {log.isPending && <Loading height={200} />}
      {log.data?.length === 0 && <Empty title={t`Nothing was printed yet`} />}
      {log.data && log.data.length > 0 && <LogLines lines={numbered(log.data)} />}
    </Stack>
  );
}
