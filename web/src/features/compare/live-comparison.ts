import { keepPreviousData, queryOptions, useQueryClient } from "@tanstack/react-query";
import { type ComparisonOut, compareJobs } from "~/api/generated";
import { useLive } from "~/api/live";
import { type MetricNews, withMeasurement } from "~/api/news";
import type { LinkState } from "~/api/stream";

const CURVE_POINTS = 500;
const ENDED = ["completed", "failed", "cancelled"];

export function comparisonQuery(ids: string[], baseline: string | null, points = CURVE_POINTS) {
  return queryOptions({
    queryKey: ["compare", ids, baseline, points],
    queryFn: async ({ signal }) => {
      const query = { ids, points, ...(baseline !== null && { baseline }) };
      return (await compareJobs({ query, signal })).data.data;
    },
    enabled: ids.length > 1,
    placeholderData: keepPreviousData,
  });
}

/** News of the compared jobs, while one of them has not ended. */
export function useLiveComparison(comparison: ComparisonOut | undefined): LinkState {
  const queries = useQueryClient();
  const compared = comparison?.jobs ?? [];
  return useLive({
    jobId: null,
    isWanted: compared.some((job) => !ENDED.includes(job.status)),
    queryKeys: [["compare"]],
    onEvent: ({ name, data }, refresher) => {
      switch (name) {
        case "metrics": {
          const metric = data as MetricNews;
          queries.setQueriesData<ComparisonOut>({ queryKey: ["compare"] }, (known) => known && withMeasurement(known, metric));
          // It may be the best; and how far it is from the baseline only the server says.
          if (metric.val_loss !== null || comparison?.baseline != null) refresher.mark(["compare"]);
          break;
        }
        case "status":
        case "done":
        case "error":
          refresher.mark(["compare"]);
      }
    },
  });
}
