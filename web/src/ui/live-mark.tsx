import { useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import type { LinkState } from "~/api/stream";
import classes from "~/ui/live-mark.module.css";

/** Whether what is on screen moves by itself. */
export function LiveMark({ state }: { state: LinkState }) {
  const { t } = useLingui();
  const words = { connecting: "", live: t`live`, reconnecting: t`reconnecting…` };
  return (
    <Text size="sm" c="dimmed" className={classes.mark} role="status" data-link={state}>
      {words[state]}
    </Text>
  );
}
