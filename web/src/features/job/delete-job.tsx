import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type JobOut, deleteJob } from "~/api/generated";
import { Failure } from "~/ui/failure";

/** Deletes an ended job: with a click where that can be undone, else after a question. */
export function DeleteJob({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [isAsking, { open, close }] = useDisclosure();
  const remove = useMutation({
    mutationFn: () => deleteJob({ path: { job_id: job.id } }),
    onSuccess: async () => {
      await navigate({ to: "/jobs" });
      queries.removeQueries({ queryKey: ["job", job.id] });
      await queries.invalidateQueries({ queryKey: ["jobs"] });
    },
  });
  return (
    <>
      <Button variant="default" loading={remove.isPending} onClick={() => (job.undo_delete_seconds > 0 ? remove.mutate() : open())}>
        <Trans>Delete</Trans>
      </Button>
      <Modal
        opened={isAsking || remove.isError}
        onClose={() => {
          close();
          remove.reset();
        }}
        title={t`Delete the job`}
        closeButtonProps={{ "aria-label": t`Close` }}
        lockScroll={false} // by a style element, which the page's policy refuses
      >
        <Stack>
          <Text size="sm">
            <Trans>Its history, files and registered version go with it, for good.</Trans>
          </Text>
          {remove.error && <Failure error={remove.error} />}
          <Group justify="end">
            <Button color="red.9" loading={remove.isPending} onClick={() => remove.mutate()}>
              <Trans>Delete</Trans>
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
