import { queryOptions } from "@tanstack/react-query";
import { type JobOut, getJob, listArtifacts, listEvents, listMetrics, readLog } from "~/api/generated";

export const MOST_LOG_LINES = 10_000;
// A chart is not wider; the server keeps the extremes, both ends and every validation.
export const CURVE_POINTS = 2_000;
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

function recordKey(job: JobOut, kind: string) {
  return ["job", job.id, kind] as const;
}

export function metricsQuery(job: JobOut) {
  return queryOptions({
    queryKey: recordKey(job, "metrics"),
    queryFn: async ({ signal }) =>
      (await listMetrics({ path: { job_id: job.id }, query: { points: CURVE_POINTS }, signal })).data.data,
    structuralSharing: false,
  });
}

export function eventsQuery(job: JobOut) {
  return queryOptions({
    queryKey: recordKey(job, "events"),
    queryFn: async ({ signal }) =>
      (await listEvents({ path: { job_id: job.id }, query: { limit: MOST_EVENTS }, signal })).data.data,
  });
}

export function logQuery(job: JobOut, isPaused: boolean) {
  return queryOptions({
    queryKey: recordKey(job, "log"),
    queryFn: async ({ signal }) =>
      (await readLog({ path: { job_id: job.id }, query: { tail: MOST_LOG_LINES }, signal })).data.data,
    enabled: !isPaused,
  });
}

export function artifactsQuery(job: JobOut) {
  return queryOptions({
    queryKey: recordKey(job, "artifacts"),
    queryFn: async ({ signal }) => (await listArtifacts({ path: { job_id: job.id }, signal })).data.data,
  });
}
