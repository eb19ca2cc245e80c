import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Stack } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type JobOut, cancelJob, retryJob } from "~/api/generated";
import { Rerun } from "~/features/job/rerun";
import { Failure } from "~/ui/failure";
import { ReasonDialog } from "~/ui/reason-dialog";

export function JobActions({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: ["job", job.id] });
  const retry = useMutation({ mutationFn: () => retryJob({ path: { job_id: job.id } }), onSuccess: refresh });
  const cancel = async (reason: string) => {
    await cancelJob({ path: { job_id: job.id }, body: { reason: reason || null } });
    await refresh();
  };
  return (
    <Stack gap="xs" align="end">
      <Group gap="xs">
        {job.completed_at === null && (
          <ReasonDialog
            title={t`Cancel the job`}
            note={t`A running job first saves a checkpoint. A cancelled job is never started again.`}
            confirm={t`Save and stop`}
            isReasonRequired={false}
            onConfirm={cancel}
          />
        )}
        {job.status === "failed" && (
          <Button variant="default" loading={retry.isPending} onClick={() => retry.mutate()}>
            <Trans>Try again</Trans>
          </Button>
        )}
        {job.completed_at !== null && job.status !== "failed" && <Rerun job={job} />}
      </Group>
      {retry.error && <Failure error={retry.error} />}
    </Stack>
  );
}
