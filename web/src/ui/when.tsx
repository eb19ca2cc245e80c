import { Tooltip } from "@mantine/core";
import { useSyncExternalStore } from "react";
import { exactTime, relativeTime } from "~/ui/quantities";

const TICK_MS = 10_000;

function tick(onTick: () => void): () => void {
  const timer = setInterval(onTick, TICK_MS);
  return () => clearInterval(timer);
}

export function useNow(): number {
  return useSyncExternalStore(tick, () => Math.floor(Date.now() / TICK_MS) * TICK_MS);
}

/** An instant to come, as long as it is from now. */
export function Until({ at }: { at: string }) {
  const now = useNow();
  return (
    <Tooltip label={exactTime(at)}>
      <time dateTime={at}>{relativeTime(at, now)}</time>
    </Tooltip>
  );
}

/** An instant as the reader thinks of it, the exact one in the reader's own zone on hover. */
export function When({ at }: { at: string }) {
  const now = useNow();
  return (
    <Tooltip label={exactTime(at)}>
      <time dateTime={at}>{relativeTime(at, Math.max(now, new Date(at).getTime()))}</time>
    </Tooltip>
  );
}
