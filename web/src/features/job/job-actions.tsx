import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Stack } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type JobOut, cancelJob, retryJob } from "~/api/generated";
import { ContinueJob } from "~/features/job/continue-job";
import { DeleteJob } from "~/features/job/delete-job";
import { Rerun } from "~/features/job/rerun";
import { Failure } from "~/ui/failure";
import { PageButton } from "~/ui/links";
import { number } from "~/ui/quantities";
import { ReasonDialog } from "~/ui/reason-dialog";

function CancelNote({ job }: { job: JobOut }) {
  if (job.status !== "running") return <Trans>A cancelled job is never started again.</Trans>;
  return (
    <>
      <Trans>Save and stop: it first saves a checkpoint of the step it is at.</Trans>{" "}
      {job.checkpoint_step === null ? (
        <Trans>Stop now: nothing is left of it, for it has no checkpoint yet.</Trans>
      ) : (
        <Trans>Stop now: what came after its last checkpoint, of step {number(job.checkpoint_step)}, is lost.</Trans>
      )}{" "}
      <Trans>A cancelled job is never started again, but goes on from its checkpoint in a new one.</Trans>
    </>
  );
}

export function JobActions({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: ["job", job.id] });
  const retry = useMutation({ mutationFn: () => retryJob({ path: { job_id: job.id } }), onSuccess: refresh });
  const cancel = (save: boolean) => async (reason: string) => {
    await cancelJob({ path: { job_id: job.id }, body: { reason: reason || null, save } });
    await refresh();
  };
  return (
    <Stack gap="xs" align="end">
      <Group gap="xs">
        {job.completed_at === null && job.cancel_requested_at === null && (
          <ReasonDialog
            title={t`Cancel the job`}
            note={<CancelNote job={job} />}
            confirm={job.status === "running" ? t`Save and stop` : t`Stop it`}
            isReasonRequired={false}
            onConfirm={cancel(true)}
            {...(job.status === "running" && { harsher: { label: t`Stop now`, onConfirm: cancel(false) } })}
          />
        )}
        {job.status === "failed" && (
          <Button variant="default" loading={retry.isPending} onClick={() => retry.mutate()}>
            <Trans>Try again</Trans>
          </Button>
        )}
        {job.completed_at !== null && job.status !== "failed" && job.checkpoint_step !== null && job.type !== "diagnostic" && (
          <ContinueJob job={job} />
        )}
        {job.completed_at !== null && job.status !== "failed" && <Rerun job={job} />}
        {job.type !== "diagnostic" && (
          <PageButton to="/jobs/new" search={{ from: job.id }} variant="default">
            <Trans>New from this</Trans>
          </PageButton>
        )}
        {job.completed_at !== null && <DeleteJob job={job} />}
      </Group>
      {retry.error && <Failure error={retry.error} />}
    </Stack>
  );
}
