/** The colour of a run: the same on every list, chart and picture, whatever it stands beside. */

// Each can be told from white and from black paper, and from its neighbours.
const COLORS = [
  "#1c7ed6",
  "#e8590c",
  "#2f9e44",
  "#ae3ec9",
  "#e03131",
  "#0c8599",
  "#845ef7",
  "#d6336c",
  "#5c940d",
  "#868e96",
  "#b3652b",
  "#099268",
] as const;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export interface RunLook {
  color: string;
  /** Another run beside it has the same colour: lines are dashed, marks are rings. */
  isDashed: boolean;
}

/** Of the job with that id. */
export function colorOf(id: string): string {
  let hash = FNV_OFFSET;
  for (const letter of id) hash = Math.imul(hash ^ letter.charCodeAt(0), FNV_PRIME);
  return COLORS[(hash >>> 0) % COLORS.length] ?? COLORS[0];
}

/** Of jobs side by side, in their order. */
export function looksOf(ids: readonly string[]): RunLook[] {
  const colors = ids.map(colorOf);
  return colors.map((color, place) => ({ color, isDashed: colors.indexOf(color) < place }));
}
