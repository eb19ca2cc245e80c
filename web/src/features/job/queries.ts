import { queryOptions } from "@tanstack/react-query";
import { getJob, getLineage, getUsage, listArtifacts, listEvents, listMetrics, listSamples, readLog } from "~/api/generated";

const MOST_LOG_LINES = 10_000;
export const LAST_LOG_LINES = 8;
// A chart is not wider; the server keeps the extremes, both ends and every validation.
export const CURVE_POINTS = 2_000;
// The server's most; a longer curve is thinned still, and says so.
export const ALL_POINTS = 100_000;
const MOST_EVENTS = 10_000;
// A waiting job moves on by what happens to other people's, of which its stream tells nothing.
const OTHERS_MS = 10_000;

export function jobQuery(id: string) {
  return queryOptions({
    queryKey: ["job", id],
    queryFn: async ({ signal }) => (await getJob({ path: { job_id: id }, signal })).data.data,
    refetchInterval: ({ state }) => (state.data?.queue != null ? OTHERS_MS : false),
  });
}

export function metricsQuery(jobId: string, attempt: number, points = CURVE_POINTS) {
  return queryOptions({
    queryKey: ["job", jobId, "metrics", attempt, points],
    queryFn: async ({ signal }) => (await listMetrics({ path: { job_id: jobId }, query: { points, attempt }, signal })).data,
    structuralSharing: false,
  });
}

export function eventsQuery(jobId: string) {
  return queryOptions({
    queryKey: ["job", jobId, "events"],
    queryFn: async ({ signal }) =>
      (await listEvents({ path: { job_id: jobId }, query: { limit: MOST_EVENTS }, signal })).data.data,
  });
}

export function logQuery(jobId: string, tail = MOST_LOG_LINES) {
  return queryOptions({
    queryKey: ["job", jobId, "log", tail],
    queryFn: async ({ signal }) => (await readLog({ path: { job_id: jobId }, query: { tail }, signal })).data,
  });
}

/** What stands behind a line: it never changes, but for what is still to be printed. */
export function logFromQuery(jobId: string, after: number) {
  return queryOptions({
    queryKey: ["job", jobId, "log", "after", after],
    queryFn: async ({ signal }) =>
      (await readLog({ path: { job_id: jobId }, query: { tail: MOST_LOG_LINES, after }, signal })).data,
  });
}

export function artifactsQuery(jobId: string) {
  return queryOptions({
    queryKey: ["job", jobId, "artifacts"],
    queryFn: async ({ signal }) => (await listArtifacts({ path: { job_id: jobId }, signal })).data.data,
  });
}

export function samplesQuery(jobId: string) {
  return queryOptions({
    queryKey: ["job", jobId, "samples"],
    queryFn: async ({ signal }) => (await listSamples({ path: { job_id: jobId }, signal })).data.data,
  });
}

export function lineageQuery(jobId: string) {
  return queryOptions({
    queryKey: ["job", jobId, "lineage"],
    queryFn: async ({ signal }) => (await getLineage({ path: { job_id: jobId }, signal })).data.data,
  });
}

export function usageQuery(artifactId: string) {
  return queryOptions({
    queryKey: ["usage", artifactId],
    queryFn: async ({ signal }) => (await getUsage({ path: { artifact_id: artifactId }, signal })).data.data,
    staleTime: Infinity,
  });
}
