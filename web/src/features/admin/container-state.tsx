import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { useLingui } from "@lingui/react/macro";
import { Badge } from "@mantine/core";
import type { ContainerState } from "~/api/generated";

const LOOKS: Record<ContainerState, { color: string; label: MessageDescriptor }> = {
  created: { color: "gray", label: msg`created` },
  running: { color: "blue", label: msg`running` },
  paused: { color: "orange", label: msg`paused` },
  restarting: { color: "orange", label: msg`restarting` },
  removing: { color: "gray", label: msg`being removed` },
  exited: { color: "gray", label: msg`ended` },
  dead: { color: "red", label: msg`dead` },
};

export function ContainerStateBadge({ state }: { state: ContainerState }) {
  const { t } = useLingui();
  return (
    <Badge color={LOOKS[state].color} variant="dot" tt="none" fw={500} miw="max-content" data-state={state}>
      {t(LOOKS[state].label)}
    </Badge>
  );
}
