import { Trans, useLingui } from "@lingui/react/macro";
import { Button, VisuallyHidden } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { promoteCheckpoint } from "~/api/generated";

/** Makes a checkpoint a version of a registered model; the server verifies its adapter first. */
export function Promote({ jobId, checkpoint }: { jobId: string; checkpoint: string }) {
  const { t } = useLingui();
  const queries = useQueryClient();
  const promotion = useMutation({
    mutationFn: async () => (await promoteCheckpoint({ path: { job_id: jobId }, body: { checkpoint } })).data.data,
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["job", jobId] });
      void queries.invalidateQueries({ queryKey: ["registered"] });
    },
  });
  if (promotion.data !== undefined) {
    const { name, version } = promotion.data;
    return (
      <span role="status">
        <Trans>
          Registered as <bdi>{name}</bdi>, version {version}
        </Trans>
      </span>
    );
  }
  return (
    <>
      <Button size="xs" variant="default" loading={promotion.isPending} onClick={() => promotion.mutate()}>
        {promotion.isError ? t`Try again` : t`Promote`}
        <VisuallyHidden> {checkpoint}</VisuallyHidden>
      </Button>
      {promotion.error && <span role="alert">{promotion.error.message}</span>}
    </>
  );
}
