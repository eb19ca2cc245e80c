import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { getQueue, listJobs } from "~/api/generated";
import type { JobsSearch } from "~/app/router";

const PAGE_SIZE = 25;
const POLL_MS = 2_000;

export function jobsQuery(search: JobsSearch) {
  return queryOptions({
    queryKey: ["jobs", search],
    queryFn: async ({ signal }) => (await listJobs({ query: { ...search, page_size: PAGE_SIZE }, signal })).data,
    placeholderData: keepPreviousData,
    refetchInterval: POLL_MS,
  });
}

export const queueQuery = queryOptions({
  queryKey: ["queue"],
  queryFn: async ({ signal }) => (await getQueue({ signal })).data.data,
  refetchInterval: POLL_MS,
});
