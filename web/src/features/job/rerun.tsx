import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Modal, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type JobOut, type RerunOut, rerunJob } from "~/api/generated";
import { DifferenceTable } from "~/ui/difference-table";
import { Failure } from "~/ui/failure";
import { PageButton } from "~/ui/links";

/** Makes the adapter once more, and says what cannot be as it was. */
export function Rerun({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const rerun = useMutation({ mutationFn: async () => (await rerunJob({ path: { job_id: job.id } })).data.data });
  return (
    <>
      <Button variant="default" loading={rerun.isPending} onClick={() => rerun.mutate()}>
        <Trans>Run again</Trans>
      </Button>
      <Modal
        opened={rerun.isError || rerun.isSuccess}
        onClose={() => rerun.reset()}
        title={t`Run again`}
        closeButtonProps={{ "aria-label": t`Close` }}
        lockScroll={false} // by a style element, which the page's policy refuses
      >
        {rerun.error && <Failure error={rerun.error} />}
        {rerun.data && <Submitted rerun={rerun.data} onLeave={() => rerun.reset()} />}
      </Modal>
    </>
  );
}

function Submitted({ rerun, onLeave }: { rerun: RerunOut; onLeave: () => void }) {
  return (
    <Stack>
      <Text size="sm">
        {rerun.differences.length === 0 ? (
          <Trans>A new job was submitted with the same settings, seed and data; its adapter will be the same.</Trans>
        ) : (
          <Trans>A new job was submitted. This cannot be as it was, so its adapter may differ:</Trans>
        )}
      </Text>
      {rerun.differences.length > 0 && (
        <DifferenceTable
          minWidth={320}
          differences={rerun.differences.map(({ field, before, after }) => ({
            field,
            before: JSON.stringify(before),
            now: JSON.stringify(after),
          }))}
        />
      )}
      <PageButton to="/jobs/$id" params={{ id: rerun.job.id }} onClick={onLeave}>
        <Trans>To the new job</Trans>
      </PageButton>
    </Stack>
  );
}
