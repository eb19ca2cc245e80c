import { Trans, useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";

interface Props {
  id: string;
  name: string;
  pinned: string | null;
  onPin: (id: string | null) => void;
}

/** Pins a run for charts and comparisons to hold others against, or takes the pin out. */
export function BaselineButton({ id, name, pinned, onPin }: Props) {
  const { t } = useLingui();
  const isPinned = pinned === id;
  return (
    <Button
      size="compact-xs"
      variant={isPinned ? "filled" : "default"}
      aria-pressed={isPinned}
      aria-label={t`Baseline: ${name}`}
      onClick={() => onPin(isPinned ? null : id)}
    >
      <Trans>Baseline</Trans>
    </Button>
  );
}
