import { useLingui } from "@lingui/react/macro";
import { useQueryClient } from "@tanstack/react-query";
import { type ContainerOut, stopContainer } from "~/api/generated";
import { ReasonDialog } from "~/ui/reason-dialog";

/** Nothing for a container that no longer runs: there is nothing to stop. */
export function StopContainer({ container }: { container: ContainerOut }) {
  const { t } = useLingui();
  const queries = useQueryClient();
  if (container.state !== "running") return null;
  return (
    <ReasonDialog
      title={t`Stop`}
      note={t`Its job is cancelled; a checkpoint is saved first. Its owner reads the reason in the job's history.`}
      confirm={t`Save and stop`}
      isReasonRequired
      onConfirm={async (reason) => {
        await stopContainer({ path: { container_id: container.id }, body: { reason } });
        await queries.invalidateQueries({ queryKey: ["admin"] });
      }}
      button={{ size: "xs" }}
    />
  );
}
