/** What a key does in a list of jobs. */

export type TableKey = "next" | "previous" | "select" | "pin" | "filter" | "help";

const KEYS: Readonly<Record<string, TableKey>> = {
  ArrowDown: "next",
  j: "next",
  ArrowUp: "previous",
  k: "previous",
  " ": "select",
  p: "pin",
  "/": "filter",
  "?": "help",
};

interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** Null for a key that is none of ours, and for those that mean something else where the reader is. */
export function tableKey(pressed: Pressed, at: { isTyping: boolean; isOnJob: boolean; isOnControl: boolean }): TableKey | null {
  if (at.isTyping || pressed.ctrlKey || pressed.metaKey || pressed.altKey) return null;
  const wanted = KEYS[pressed.key] ?? null;
  if (wanted === "filter" || wanted === "help") return wanted;
  if (at.isOnControl) return null; // a button is pressed by the space bar, a slider moved by arrows
  if ((wanted === "select" || wanted === "pin") && !at.isOnJob) return null;
  return wanted;
}

/** The job to go to from that one; the first or last from none. Stays at the ends. */
export function neighbour(ids: readonly string[], from: string | null, step: 1 | -1): string | undefined {
  const place = from === null ? -1 : ids.indexOf(from);
  if (place < 0) return step > 0 ? ids[0] : ids.at(-1);
  return ids[Math.min(Math.max(place + step, 0), ids.length - 1)];
}
