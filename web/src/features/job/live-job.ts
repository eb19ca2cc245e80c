import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { JobOut, MetricOut } from "~/api/generated";
import { useLive } from "~/api/live";
import { type MetricNews, type ProgressNews, withProgress } from "~/api/news";
import type { LinkState } from "~/api/stream";

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
        case "phase":
        case "sample":
          refresher.mark(["job", id, "events"]);
          break;
        default: // a transition, the end, or what only a fresh look can tell
          refresher.mark(["job", id]);
      }
    },
  });
  return { link, tail };
}

/** A list that grows at most once a frame, however fast it is added to. */
function useTail(id: string): [readonly MetricOut[], (metric: MetricOut) => void] {
  const [tail, setTail] = useState<{ id: string; metrics: readonly MetricOut[] }>({ id, metrics: [] });
  const waiting = useRef<MetricOut[]>([]);
  const frame = useRef(0);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);

  const show = () => {
    const added = waiting.current.splice(0);
    frame.current = 0;
    setTail((known) => ({ id, metrics: [...(known.id === id ? known.metrics : []), ...added] }));
  };
  const add = (metric: MetricOut) => {
    waiting.current.push(metric);
    if (frame.current === 0) frame.current = requestAnimationFrame(show);
  };
  return [tail.id === id ? tail.metrics : [], add];
}
