import { Trans, useLingui } from "@lingui/react/macro";
import { Badge, Button, Group, Table } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type DeviceOut, trustDevice } from "~/api/generated";
import { devicesQuery } from "~/features/admin/queries";
import { Copyable } from "~/ui/copyable";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { JobId } from "~/ui/job-id";
import { Loading } from "~/ui/loading";
import { Sheet } from "~/ui/sheet";
import { When } from "~/ui/when";

/** GPUs, or CPU slots on a machine without any, and who holds each. */
export function Devices() {
  const { t } = useLingui();
  const devices = useQuery(devicesQuery);
  if (devices.error) return <Failure error={devices.error} />;
  if (devices.data === undefined) return <Loading height={160} />;
  if (devices.data.length === 0) return <Empty title={t`No orchestrator has looked for devices yet`} />;
  return (
    <Sheet label={t`Devices`} columns={[t`Device`, t`State`, t`Held by`, t`Job`, t`Since`]}>
      {devices.data.map((device) => (
        <DeviceRow key={device.id} device={device} />
      ))}
    </Sheet>
  );
}

function DeviceRow({ device }: { device: DeviceOut }) {
  return (
    <Table.Tr data-device={device.id}>
      <Table.Th scope="row" fw={500}>
        <Copyable value={device.id} />
      </Table.Th>
      <Table.Td>
        <DeviceState device={device} />
      </Table.Td>
      <Table.Td>
        {device.owner !== null && <Copyable value={device.owner} />}
      </Table.Td>
      <Table.Td>
        {device.job_id !== null && <JobId id={device.job_id} />}
      </Table.Td>
      <Table.Td>{device.leased_at !== null && <When at={device.leased_at} />}</Table.Td>
    </Table.Tr>
  );
}

function DeviceState({ device }: { device: DeviceOut }) {
  const { t } = useLingui();
  return (
    <Group gap="xs">
      <Badge variant="dot" color={device.job_id === null ? "green" : "blue"} tt="none" fw={500}>
        {device.job_id === null ? t`free` : t`in use`}
      </Badge>
      {device.suspect !== null && <Suspect device={device.id} reason={device.suspect.reason} />}
    </Group>
  );
}

function Suspect({ device, reason }: { device: string; reason: string }) {
  const queries = useQueryClient();
  const trust = useMutation({
    mutationFn: async () => trustDevice({ body: { device } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["admin"] }),
  });
  return (
    <>
      <Badge variant="dot" color="orange" tt="none" fw={500}>
        <Trans>suspect: {reason}</Trans>
      </Badge>
      <Button size="xs" variant="default" loading={trust.isPending} onClick={() => trust.mutate()}>
        <Trans>Trust it again</Trans>
      </Button>
      {trust.error && <Failure error={trust.error} />}
    </>
  );
}
