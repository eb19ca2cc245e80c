/** How long a container that was told to stop may still save. */
import type { JobOut } from "~/api/generated";

/** Whole seconds as of `now` in milliseconds; null while nobody has told it to stop. Never more than it was given. */
export function secondsToSave({ cancel_requested_at: asked, kill_at: end }: Pick<JobOut, "cancel_requested_at" | "kill_at">, now: number): number | null {
  if (end === null) return null;
  const given = asked === null ? Infinity : secondsBetween(new Date(asked).getTime(), end);
  return Math.ceil(Math.max(0, Math.min(given, secondsBetween(now, end))));
}

function secondsBetween(from: number, to: string): number {
  return (new Date(to).getTime() - from) / 1000;
}
