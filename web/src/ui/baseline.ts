/** The run that this reader holds others against. Remembered by the browser, like how charts are looked at. */
import { useSyncExternalStore } from "react";

const STORED_AS = "lorry.baseline";
const watching = new Set<() => void>();

export function baseline(): string | null {
  return localStorage.getItem(STORED_AS);
}

/** A job's id; null pins none. */
export function pin(id: string | null): void {
  if (id === null) localStorage.removeItem(STORED_AS);
  else localStorage.setItem(STORED_AS, id);
  watching.forEach((tell) => tell());
}

export function toggle(id: string): void {
  pin(baseline() === id ? null : id);
}

/** The address of a comparison of those, the baseline in front. */
export function comparing(ids: readonly string[], pinned: string | null): { ids: string[]; baseline?: string } {
  return pinned === null ? { ids: [...ids] } : { ids: [pinned, ...ids.filter((id) => id !== pinned)], baseline: pinned };
}

export function useBaseline(): string | null {
  return useSyncExternalStore(watch, baseline);
}

function watch(tell: () => void): () => void {
  watching.add(tell);
  addEventListener("storage", tell); // pinned in another tab
  return () => {
    watching.delete(tell);
    removeEventListener("storage", tell);
  };
}
