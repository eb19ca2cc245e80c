/** What streams tell of jobs (docs/streams.md), as parts of what the API answers elsewhere. */
import type { ComparisonOut, JobOut, MetricOut } from "~/api/generated";

/** Where a job stands now. */
export type ProgressNews = { job_id: string } & Pick<
  JobOut,
  | "status"
  | "attempt"
  | "progress"
  | "phase"
  | "current_step"
  | "total_steps"
  | "current_epoch"
  | "total_epochs"
  | "eta_seconds"
  | "train_count"
  | "val_count"
  | "checkpoint_step"
  | "metrics"
  | "best"
>;

export type MetricNews = { job_id: string } & MetricOut;

export function withProgress(job: JobOut, { job_id: id, ...standing }: ProgressNews): JobOut {
  return job.id === id ? { ...job, ...standing } : job;
}

/** Measurements and those that came after them; the same ones may have been told twice, by the list and the stream. */
export function withTail(metrics: readonly MetricOut[], tail: readonly MetricOut[]): MetricOut[] {
  const last = metrics.at(-1);
  if (last === undefined) return [...tail];
  return [...metrics, ...tail.filter(({ attempt, step }) => attempt > last.attempt || (attempt === last.attempt && step > last.step))];
}

/** A comparison with one more measurement of one of its jobs; the others are left as they are. */
export function withMeasurement(comparison: ComparisonOut, { job_id: id, ...metric }: MetricNews): ComparisonOut {
  const jobs = comparison.jobs.map((job) => {
    if (job.job_id !== id) return job;
    const curve = withTail(job.curve, [metric]);
    if (curve.length === job.curve.length) return job;
    return { ...job, curve, measured_count: job.measured_count + 1, result: { ...job.result, step: metric.step, loss: metric.loss } };
  });
  return { ...comparison, jobs };
}
