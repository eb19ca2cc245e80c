import { useQueryClient } from "@tanstack/react-query";
import type { ListingJobOut, MetricOut } from "~/api/generated";
import { useLive } from "~/api/live";
import { type MetricNews, type ProgressNews, withProgress, withTail } from "~/api/news";
import type { LinkState } from "~/api/stream";
import { curveKey } from "~/features/jobs/queries";

const QUERY_KEYS = [["jobs"], ["queue"]];

/** News of all the user's jobs, put into the lists that are on screen. */
export function useLiveJobs(): LinkState {
  const queries = useQueryClient();
  return useLive({
    jobId: null,
    isWanted: true,
    queryKeys: QUERY_KEYS,
    onEvent: ({ name, data }, refresher) => {
      switch (name) {
        case "progress":
          queries.setQueriesData<ListingJobOut>(
            { queryKey: ["jobs"] },
            (jobs) => jobs && { ...jobs, data: jobs.data.map((job) => withProgress(job, data as ProgressNews)) },
          );
          break;
        case "metrics": {
          const metric = data as MetricNews;
          queries.setQueriesData<MetricOut[]>(
            { queryKey: curveKey(metric.job_id) },
            (metrics) => metrics && withTail(metrics, [metric]),
          );
          break;
        }
        case "status":
        case "history":
        case "done":
        case "error":
          QUERY_KEYS.forEach((key) => refresher.mark(key));
      }
    },
  });
}
