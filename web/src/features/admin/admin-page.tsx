import { Trans, useLingui } from "@lingui/react/macro";
import { Stack, Table, Title } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ContainerOut, listAuditEntries, listContainers, listDevices, stopContainer } from "~/api/generated";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { PageLink } from "~/ui/links";
import { Loading } from "~/ui/loading";
import { Page } from "~/ui/page";
import { number, size } from "~/ui/quantities";
import { ReasonDialog } from "~/ui/reason-dialog";
import { When } from "~/ui/when";

const POLL_MS = 3_000;

export function AdminPage() {
  const { t } = useLingui();
  return (
    <Page title={t`Administration`}>
      <Containers />
      <Devices />
      <Audit />
    </Page>
  );
}

function Containers() {
  const { t } = useLingui();
  const containers = useQuery({
    queryKey: ["admin", "containers"],
    queryFn: async ({ signal }) => (await listContainers({ signal })).data.data,
    refetchInterval: POLL_MS,
  });
  return (
    <Stack gap="xs">
      <Title order={2} size="h4">
        <Trans>Containers</Trans>
      </Title>
      {containers.error && <Failure error={containers.error} />}
      {containers.isPending && <Loading height={120} />}
      {containers.data?.length === 0 && <Empty title={t`No container runs`} />}
      {containers.data && containers.data.length > 0 && (
        <Table.ScrollContainer minWidth={720} type="native" tabIndex={0} role="region" aria-label={t`Containers`}>
          <Table>
            <Table.Tbody>
              {containers.data.map((container) => (
                <ContainerRow key={container.id} container={container} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Stack>
  );
}

function ContainerRow({ container }: { container: ContainerOut }) {
  const { t } = useLingui();
  const queries = useQueryClient();
  const stop = async (reason: string) => {
    await stopContainer({ path: { container_id: container.id }, body: { reason } });
    await queries.invalidateQueries({ queryKey: ["admin"] });
  };
  const { cpu_percent: cpu, memory_bytes: memory } = container.usage;
  return (
    <Table.Tr data-container={container.id}>
      <Table.Td>
        {container.job_id === null ? (
          <bdi dir="ltr">{container.name}</bdi>
        ) : (
          <PageLink to="/jobs/$id" params={{ id: container.job_id }} dir="ltr">
            {container.name}
          </PageLink>
        )}
      </Table.Td>
      <Table.Td>{container.owner}</Table.Td>
      <Table.Td>{container.state}</Table.Td>
      <Table.Td>{cpu === null ? "–" : number(cpu / 100, { style: "percent" })}</Table.Td>
      <Table.Td>{memory === null ? "–" : size(memory)}</Table.Td>
      <Table.Td>{container.gpu_ids.join(", ")}</Table.Td>
      <Table.Td ta="end">
        <ReasonDialog
          title={t`Stop the container`}
          note={t`Its owner reads the reason in the job's history.`}
          confirm={t`Save and stop`}
          isReasonRequired
          onConfirm={stop}
          button={{ size: "xs" }}
        />
      </Table.Td>
    </Table.Tr>
  );
}

function Devices() {
  const { t } = useLingui();
  const devices = useQuery({
    queryKey: ["admin", "devices"],
    queryFn: async ({ signal }) => (await listDevices({ signal })).data.data,
    refetchInterval: POLL_MS,
  });
  if (devices.error) return <Failure error={devices.error} />;
  if (devices.data === undefined) return <Loading height={80} />;
  return (
    <Stack gap="xs">
      <Title order={2} size="h4">
        <Trans>Devices</Trans>
      </Title>
      <Table>
        <Table.Tbody>
          {devices.data.map((device) => (
            <Table.Tr key={device.id}>
              <Table.Th scope="row" fw={500}>
                <bdi dir="ltr">{device.id}</bdi>
              </Table.Th>
              <Table.Td>{device.owner ?? t`free`}</Table.Td>
              <Table.Td>{device.suspect?.reason}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}

function Audit() {
  const entries = useQuery({
    queryKey: ["admin", "audit"],
    queryFn: async ({ signal }) => (await listAuditEntries({ signal })).data.data,
  });
  if (entries.error) return <Failure error={entries.error} />;
  if (entries.data === undefined) return <Loading height={120} />;
  return (
    <Stack gap="xs">
      <Title order={2} size="h4">
        <Trans>What people with power did</Trans>
      </Title>
      <Table>
        <Table.Tbody>
          {entries.data.map((entry) => (
            <Table.Tr key={entry.id}>
              <Table.Td>
                <When at={entry.at} />
              </Table.Td>
              <Table.Td>{entry.actor}</Table.Td>
              <Table.Td dir="auto">{entry.message}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}
