import { queryOptions } from "@tanstack/react-query";
import { type JobOut, getJob, listArtifacts, listEvents, listMetrics, readLog } from "~/api/generated";

const POLL_MS = 1_500;
export const MOST_LOG_LINES = 10_000;

/** Records are asked for again for as long as the job may write more. */
function pace(isOver: boolean): number | false {
  return isOver ? false : POLL_MS;
}

export function jobQuery(id: string) {
  return queryOptions({
    queryKey: ["job", id],
    queryFn: async ({ signal }) => (await getJob({ path: { job_id: id }, signal })).data.data,
    refetchInterval: ({ state }) => pace(state.data?.completed_at != null),
  });
}

/** The parts of a job's key that make its records be asked for once more when it has ended. */
function recordKey(job: JobOut, kind: string) {
  return ["job", job.id, kind, job.completed_at, job.attempt] as const;
}

export function metricsQuery(job: JobOut) {
  return queryOptions({
    queryKey: recordKey(job, "metrics"),
    queryFn: async ({ signal }) => (await listMetrics({ path: { job_id: job.id }, signal })).data,
    refetchInterval: pace(job.completed_at !== null),
    structuralSharing: false,
  });
}

export function eventsQuery(job: JobOut) {
  return queryOptions({
    queryKey: recordKey(job, "events"),
    queryFn: async ({ signal }) => (await listEvents({ path: { job_id: job.id }, signal })).data.data,
    refetchInterval: pace(job.completed_at !== null),
  });
}

export function logQuery(job: JobOut, isPaused: boolean) {
  return queryOptions({
    queryKey: recordKey(job, "log"),
    queryFn: async ({ signal }) =>
      (await readLog({ path: { job_id: job.id }, query: { tail: MOST_LOG_LINES }, signal })).data.data,
    refetchInterval: pace(isPaused || job.completed_at !== null),
  });
}

export function artifactsQuery(job: JobOut) {
  return queryOptions({
    queryKey: recordKey(job, "artifacts"),
    queryFn: async ({ signal }) => (await listArtifacts({ path: { job_id: job.id }, signal })).data.data,
    refetchInterval: pace(job.completed_at !== null),
  });
}
