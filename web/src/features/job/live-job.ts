import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { JobOut, MetricOut } from "~/api/generated";
import { useLive } from "~/api/live";
import { type MetricNews, type ProgressNews, withProgress } from "~/api/news";
import type { LinkState } from "~/api/stream";

const SHOWN_EVERY_MS = 250;

interface LiveJob {
  link: LinkState;
  /** Measurements since the page opened; those before are in the list. */
  tail: readonly MetricOut[];
}

/** News of a job that has not ended, put into what its page shows. */
export function useLiveJob(id: string, job: JobOut | undefined): LiveJob {
  const queries = useQueryClient();
  const [tail, add] = useTail(id);
  const link = useLive({
    jobId: id,
    isWanted: job !== undefined && job.completed_at === null,
    queryKeys: [["job", id]],
    onEvent: ({ name, data }, refresher) => {
      switch (name) {
        case "progress":
          queries.setQueryData<JobOut>(["job", id], (known) => known && withProgress(known, data as ProgressNews));
          break;
        case "metrics":
          add(data as MetricNews);
          break;
        case "log":
          refresher.mark(["job", id, "log"]);
          break;
        case "sample":
          refresher.mark(["job", id, "samples"]);
          refresher.mark(["job", id, "artifacts"]);
          refresher.mark(["job", id, "events"]);
          break;
        case "phase":
          refresher.mark(["job", id, "events"]);
          break;
        default: // a transition, the end, or what only a fresh look can tell
          refresher.mark(["job", id]);
      }
    },
  });
  return { link, tail };
}

/** A list that grows a few times a second, however fast it is added to: every time, all charts are drawn anew. */
function useTail(id: string): [readonly MetricOut[], (metric: MetricOut) => void] {
  const [tail, setTail] = useState<{ id: string; metrics: readonly MetricOut[] }>({ id, metrics: [] });
  const waiting = useRef<MetricOut[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => () => clearTimeout(timer.current ?? undefined), []);

  const show = () => {
    const added = waiting.current.splice(0);
    timer.current = null;
    setTail((known) => ({ id, metrics: [...(known.id === id ? known.metrics : []), ...added] }));
  };
  const add = (metric: MetricOut) => {
    waiting.current.push(metric);
    timer.current ??= setTimeout(show, SHOWN_EVERY_MS);
  };
  return [tail.id === id ? tail.metrics : [], add];
}
