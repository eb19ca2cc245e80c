import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Modal, NumberInput, Stack, Text } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type SubmitEvent, useState } from "react";
import { type ContinuationOut, type JobOut, continueJob } from "~/api/generated";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { number } from "~/ui/quantities";

const TYPING_PAUSE_MS = 400;

/** Goes on from the job's newest checkpoint in a new job; the server says how far, and how that compares. */
export function ContinueJob({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const [isOpen, { open, close }] = useDisclosure();
  return (
    <>
      <Button variant="default" onClick={open}>
        <Trans>Continue</Trans>
      </Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title={t`Continue with more steps`}
        closeButtonProps={{ "aria-label": t`Close` }}
        lockScroll={false} // by a style element, which the page's policy refuses
      >
        <ContinueForm job={job} onLeave={close} />
      </Modal>
    </>
  );
}

function ContinueForm({ job, onLeave }: { job: JobOut; onLeave: () => void }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const [steps, setSteps] = useState<number | null>(null);
  const [settled] = useDebouncedValue(steps, TYPING_PAUSE_MS);
  const plan = useQuery({
    queryKey: ["job", job.id, "continue", settled],
    queryFn: async ({ signal }) =>
      (await continueJob({ path: { job_id: job.id }, body: { steps: settled }, query: { dry_run: true }, signal })).data.data,
    placeholderData: keepPreviousData,
    retry: false,
  });
  const submission = useMutation({
    mutationFn: async () => (await continueJob({ path: { job_id: job.id }, body: { steps } })).data.data.job,
    onSuccess: (next) => {
      onLeave();
      if (next !== null) void navigate({ to: "/jobs/$id", params: { id: next.id } });
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    submission.mutate();
  };
  const refusal = submission.error ?? plan.error;
  if (plan.data === undefined && refusal === null) return <Loading height={160} />;
  return (
    <Stack component="form" onSubmit={submit}>
      {plan.data && <Remarks plan={plan.data} />}
      <NumberInput
        label={t`Steps in all`}
        value={steps ?? plan.data?.steps ?? ""}
        onChange={(value) => setSteps(typeof value === "number" ? value : null)}
        allowDecimal={false}
        min={1}
        data-autofocus
      />
      {refusal && <Failure error={refusal} />}
      <Group justify="end">
        <Button variant="default" onClick={onLeave}>
          <Trans>Leave it</Trans>
        </Button>
        <Button type="submit" loading={submission.isPending} disabled={plan.error !== null}>
          <Trans>Continue it</Trans>
        </Button>
      </Group>
    </Stack>
  );
}

function Remarks({ plan }: { plan: ContinuationOut }) {
  return (
    <Text size="sm" component="div">
      <Trans>
        A new job goes on after step {number(plan.step)}, to step {number(plan.steps)}, with the same settings and pictures.
      </Trans>
      {plan.remarks.map((remark) => (
        <p key={remark}>
          <bdi>{remark}</bdi>
        </p>
      ))}
      {plan.differences.some(({ field }) => field === "image_digest") && (
        <p>
          <Trans>The training image is another by now.</Trans>
        </p>
      )}
    </Text>
  );
}
