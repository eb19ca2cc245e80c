/** Asks the server again for what has become stale. */
import type { QueryClient, QueryKey } from "@tanstack/react-query";

const PAUSE_MS = 500;

/**
 * At most one question at a time for each mark, with pauses: a busy job marks the same thing many times a second, and a
 * question that was given up for the next one might never be answered.
 */
export class Refresher {
  private readonly stale = new Map<string, QueryKey>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isAsking = false;

  constructor(private readonly queries: Pick<QueryClient, "invalidateQueries">) {}

  mark(key: QueryKey): void {
    this.stale.set(JSON.stringify(key), key);
    if (!this.isAsking) this.timer ??= setTimeout(() => void this.ask(), PAUSE_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.stale.clear();
  }

  private async ask(): Promise<void> {
    this.timer = undefined;
    const keys = [...this.stale.values()];
    this.stale.clear();
    this.isAsking = true;
    await Promise.allSettled(keys.map((queryKey) => this.queries.invalidateQueries({ queryKey })));
    this.isAsking = false;
    for (const key of this.stale.values()) this.mark(key);
  }
}
