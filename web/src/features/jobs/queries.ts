import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { type JobOut, getQueue, listJobs, listMetrics } from "~/api/generated";
import type { JobsSearch } from "~/app/router";

const PAGE_SIZE = 25;
// Waiting jobs move on by what happens to other people's, of which this user's stream tells nothing.
const OTHERS_MS = 10_000;
const SPARK_POINTS = 40;

export function jobsQuery(search: JobsSearch) {
  return queryOptions({
    queryKey: ["jobs", search],
    queryFn: async ({ signal }) => (await listJobs({ query: { ...search, page_size: PAGE_SIZE }, signal })).data,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.data.some((job) => job.queue !== null) ? OTHERS_MS : false),
  });
}

export const queueQuery = queryOptions({
  queryKey: ["queue"],
  queryFn: async ({ signal }) => (await getQueue({ signal })).data.data,
  refetchInterval: OTHERS_MS,
});

export function curveKey(jobId: string) {
  return ["curve", jobId] as const;
}

/** A few points of a job's loss, once its row `isSeen`; those of an ended job are kept. */
export function curveQuery(job: JobOut, isSeen: boolean) {
  return queryOptions({
    queryKey: [...curveKey(job.id), job.attempt, job.completed_at],
    queryFn: async ({ signal }) => {
      const query = { points: SPARK_POINTS, attempt: job.attempt };
      return (await listMetrics({ path: { job_id: job.id }, query, signal })).data.data;
    },
    enabled: isSeen && job.current_step > 0,
    staleTime: job.completed_at === null ? 0 : Infinity,
  });
}
