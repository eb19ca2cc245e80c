import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Group, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type JobOut, cancelJob } from "~/api/generated";
import { secondsToSave } from "~/features/job/grace";
import { Failure } from "~/ui/failure";
import { duration, number } from "~/ui/quantities";
import { When, useNow } from "~/ui/when";

const COUNT_MS = 1000;

/** While a job that runs is being stopped: since when, how long it may still save, and a way to end that. */
export function Stopping({ job }: { job: JobOut }) {
  if (job.completed_at !== null || (job.cancel_requested_at === null && job.kill_at === null)) return null;
  return <StoppingNow job={job} />;
}

function StoppingNow({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const queries = useQueryClient();
  const left = secondsToSave(job, useNow(COUNT_MS));
  const hurry = useMutation({
    mutationFn: () => cancelJob({ path: { job_id: job.id }, body: { save: false } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["job", job.id] }),
  });
  return (
    <Alert color="orange" title={t`Stopping`} role="status">
      <Group justify="space-between">
        <Text size="sm" aria-live="off" /* or it would be read out each second */>
          {job.cancel_requested_at !== null && (
            <Trans>
              Its end was asked for <When at={job.cancel_requested_at} everyMs={COUNT_MS} />.
            </Trans>
          )}{" "}
          <TimeLeft left={left} />{" "}
          {left !== 0 && job.checkpoint_step !== null && <Trans>The last checkpoint so far is of step {number(job.checkpoint_step)}.</Trans>}
        </Text>
        {left !== 0 && job.cancel_requested_at !== null && (
          <Button variant="outline" color="red.9" size="xs" loading={hurry.isPending} onClick={() => hurry.mutate()}>
            <Trans>Stop now, without saving</Trans>
          </Button>
        )}
      </Group>
      {hurry.error && <Failure error={hurry.error} />}
    </Alert>
  );
}

function TimeLeft({ left }: { left: number | null }) {
  if (left === null) return <Trans>Its container is about to be told.</Trans>;
  if (left === 0) return <Trans>It has no more time to save, and is being stopped for good.</Trans>;
  return <Trans>Its container has {duration(left)} to save a checkpoint.</Trans>;
}
