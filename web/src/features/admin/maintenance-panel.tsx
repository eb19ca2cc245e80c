import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type MaintenanceOut, beginMaintenance, endMaintenance } from "~/api/generated";
import { maintenanceQuery } from "~/features/admin/queries";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { ReasonDialog } from "~/ui/reason-dialog";
import { When } from "~/ui/when";

/** Whether jobs start, and the switch. */
export function MaintenancePanel() {
  const maintenance = useQuery(maintenanceQuery);
  if (maintenance.data === undefined) {
    return maintenance.error ? <Failure error={maintenance.error} /> : <Loading height={70} />;
  }
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="maintenance">
      {maintenance.data.is_on ? <On maintenance={maintenance.data} /> : <Off />}
    </Paper>
  );
}

function Off() {
  const { t } = useLingui();
  const refresh = useRefresh();
  return (
    <Group justify="space-between">
      <div>
        <Text fw={600} id="maintenance">
          <Trans>No maintenance</Trans>
        </Text>
        <Text size="sm" c="dimmed">
          <Trans>Jobs start as soon as a device is free.</Trans>
        </Text>
      </div>
      <ReasonDialog
        title={t`Begin maintenance`}
        note={t`Jobs are accepted and wait; none starts. Those that run go on. Everybody reads the reason.`}
        confirm={t`Begin`}
        decline={t`Not now`}
        isReasonRequired
        onConfirm={async (reason) => {
          await beginMaintenance({ body: { reason } });
          await refresh();
        }}
      />
    </Group>
  );
}

function On({ maintenance }: { maintenance: MaintenanceOut }) {
  const refresh = useRefresh();
  const end = useMutation({ mutationFn: async () => endMaintenance(), onSuccess: refresh });
  return (
    <>
      <Group justify="space-between">
        <div>
          <Text fw={600} id="maintenance">
            <Trans>Maintenance: no job starts</Trans>
          </Text>
          <Text size="sm" dir="auto">
            {maintenance.reason}
          </Text>
          <Text size="sm" c="dimmed">
            <bdi>{maintenance.actor}</bdi>
            {maintenance.since != null && (
              <>
                {" · "}
                <When at={maintenance.since} />
              </>
            )}
          </Text>
        </div>
        <Button loading={end.isPending} onClick={() => end.mutate()}>
          <Trans>End maintenance</Trans>
        </Button>
      </Group>
      {end.error && <Failure error={end.error} />}
    </>
  );
}

function useRefresh() {
  const queries = useQueryClient();
  return async () => {
    await Promise.all([
      queries.invalidateQueries({ queryKey: ["admin"] }),
      queries.invalidateQueries({ queryKey: ["queue"] }),
    ]);
  };
}
