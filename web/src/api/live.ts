/** What happens to jobs, as it happens, put into what pages show; without a stream they ask now and then. */
import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState } from "react";
import { Refresher } from "~/api/refresher";
import { type LinkState, type StreamEvent, follow, openStream } from "~/api/stream";

const POLL_MS = 3_000;

interface Live {
  /** One job, or null: all of the user's. */
  jobId: string | null;
  isWanted: boolean;
  /** What is asked for again whenever a stream has opened: it tells only what follows. */
  queryKeys: readonly QueryKey[];
  onEvent: (event: StreamEvent, refresher: Refresher) => void;
}

/** One stream, which ends with the page. */
export function useLive({ jobId, isWanted, queryKeys, onEvent }: Live): LinkState {
  const queries = useQueryClient();
  const [state, setState] = useState<LinkState>("connecting");
  const take = useEffectEvent(onEvent);
  const markAll = useEffectEvent((refresher: Refresher) => queryKeys.forEach((key) => refresher.mark(key)));

  useEffect(() => {
    if (!isWanted) return undefined;
    const leaving = new AbortController();
    const refresher = new Refresher(queries);
    const listener = {
      onEvent: (event: StreamEvent) => take(event, refresher),
      onState: (next: LinkState) => {
        setState(next);
        if (next === "live") markAll(refresher);
      },
    };
    void follow(openStream(jobId), listener, leaving.signal);
    return () => {
      leaving.abort();
      refresher.stop();
      setState("connecting");
    };
  }, [jobId, isWanted, queries]);

  useEffect(() => {
    if (state !== "reconnecting") return undefined;
    const refresher = new Refresher(queries);
    const timer = setInterval(() => markAll(refresher), POLL_MS);
    return () => {
      clearInterval(timer);
      refresher.stop();
    };
  }, [state, queries]);

  return state;
}
