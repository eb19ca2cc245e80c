import { useLingui } from "@lingui/react/macro";
import { Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ContainerOut } from "~/api/generated";
import { ContainerStateBadge } from "~/features/admin/container-state";
import { containersQuery } from "~/features/admin/queries";
import { StopContainer } from "~/features/admin/stop-container";
import { Copyable } from "~/ui/copyable";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { PageLink } from "~/ui/links";
import { Loading } from "~/ui/loading";
import { duration, percent, size } from "~/ui/quantities";
import { Sheet } from "~/ui/sheet";

export function Containers() {
  const { t } = useLingui();
  const containers = useQuery(containersQuery);
  if (containers.error) return <Failure error={containers.error} />;
  if (containers.data === undefined) return <Loading height={160} />;
  if (containers.data.length === 0) return <Empty title={t`No container runs`} />;
  const columns = [t`Container`, t`Owner`, t`State`, t`CPU`, t`Memory`, t`GPU`, t`Age`, t`Actions`];
  return (
    <Sheet label={t`Containers`} columns={columns} minWidth={860}>
      {containers.data.map((container) => (
        <ContainerRow key={container.id} container={container} />
      ))}
    </Sheet>
  );
}

function ContainerRow({ container }: { container: ContainerOut }) {
  const { cpu_percent: cpu, memory_bytes: memory, gpu_utilization: gpu } = container.usage;
  return (
    <Table.Tr data-container={container.name}>
      <Table.Td>
        <PageLink to="/admin/containers/$id" params={{ id: container.id }} size="sm" dir="ltr">
          {container.name}
        </PageLink>
      </Table.Td>
      <Table.Td>
        {container.owner === null ? "–" : <Copyable value={container.owner} />}
      </Table.Td>
      <Table.Td>
        <ContainerStateBadge state={container.state} />
      </Table.Td>
      <Table.Td>{cpu === null ? "–" : percent(cpu)}</Table.Td>
      <Table.Td data-whole>{memory === null ? "–" : size(memory)}</Table.Td>
      <Table.Td data-whole>
        <bdi dir="ltr">{container.gpu_ids.join(", ")}</bdi>
        {gpu !== null && (
          <Text size="xs" c="dimmed">
            {percent(gpu)}
          </Text>
        )}
      </Table.Td>
      <Table.Td data-whole>{container.age_seconds === null ? "–" : duration(container.age_seconds)}</Table.Td>
      <Table.Td>
        <StopContainer container={container} />
      </Table.Td>
    </Table.Tr>
  );
}
