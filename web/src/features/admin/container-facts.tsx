import { useLingui } from "@lingui/react/macro";
import { Code, Table } from "@mantine/core";
import type { ReactNode } from "react";
import type { ContainerOut } from "~/api/generated";
import { Copyable } from "~/ui/copyable";
import { number, percent, size } from "~/ui/quantities";
import { When } from "~/ui/when";

/** What it uses beside what it may use, and what it was made from. */
export function ContainerFacts({ container }: { container: ContainerOut }) {
  const { t } = useLingui();
  const { usage, limits } = container;
  const ofLimit = (used: string | null, most: string | null): string =>
    most === null ? (used ?? "–") : t`${used ?? "–"} of ${most}`;
  const rows: [string, ReactNode][] = [
    [t`Owner`, container.owner === null ? "–" : <Copyable key="owner" value={container.owner} />],
    [t`Attempt`, container.attempt === null ? "–" : number(container.attempt)],
    [t`CPU`, ofLimit(optional(usage.cpu_percent, percent), optional(limits?.cpus, (cpus) => t`${number(cpus)} CPUs`))],
    [t`Memory`, ofLimit(optional(usage.memory_bytes, size), optional(limits?.memory_bytes, size))],
    [t`Processes`, ofLimit(optional(usage.pids, number), optional(limits?.pids, number))],
    [t`Devices`, <bdi key="devices" dir="ltr">{container.gpu_ids.join(", ")}</bdi>],
    [t`GPU`, usage.gpu_utilization === null ? "–" : percent(usage.gpu_utilization)],
    [t`GPU memory`, usage.gpu_memory_bytes === null ? "–" : size(usage.gpu_memory_bytes)],
    [t`Started`, container.started_at === null ? "–" : <When key="started" at={container.started_at} />],
    [t`Image`, <Code key="image">{container.image ?? "–"}</Code>],
    [t`Image digest`, container.image_digest === null ? "–" : <Copyable key="digest" value={container.image_digest} />],
  ];
  return (
    <Table variant="vertical" layout="fixed">
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th scope="row" w={140} fw={500}>
              {name}
            </Table.Th>
            <Table.Td>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function optional(value: number | null | undefined, say: (value: number) => string): string | null {
  return value == null ? null : say(value);
}
