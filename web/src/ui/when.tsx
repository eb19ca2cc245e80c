import { Tooltip } from "@mantine/core";
import { useSyncExternalStore } from "react";
import { exactTime, relativeTime } from "~/ui/quantities";

const TICK_MS = 10_000;

const tickers = new Map<number, (onTick: () => void) => () => void>();

/** Always the same function for the same pause: another one would be subscribed to anew each time. */
function ticker(everyMs: number): (onTick: () => void) => () => void {
  const known = tickers.get(everyMs);
  if (known !== undefined) return known;
  const tick = (onTick: () => void) => {
    const timer = setInterval(onTick, everyMs);
    return () => clearInterval(timer);
  };
  tickers.set(everyMs, tick);
  return tick;
}

export function useNow(everyMs = TICK_MS): number {
  return useSyncExternalStore(ticker(everyMs), () => Math.floor(Date.now() / everyMs) * everyMs);
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
export function When({ at, everyMs }: { at: string; everyMs?: number }) {
  const now = useNow(everyMs);
  return (
    <Tooltip label={exactTime(at)}>
      <time dateTime={at}>{relativeTime(at, Math.max(now, new Date(at).getTime()))}</time>
    </Tooltip>
  );
}
