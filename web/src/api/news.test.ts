import { expect, test } from "vitest";
import type { ComparisonOut, JobOut, MetricOut } from "~/api/generated";
import { type ProgressNews, withMeasurement, withProgress, withTail } from "~/api/news";

const at = (attempt: number, step: number) => ({ attempt, step, loss: step }) as MetricOut;

test("news of a job change that job and no other", () => {
  const jobs = [{ id: "a", progress: 1 }, { id: "b", progress: 1 }] as JobOut[];
  const news = { job_id: "b", progress: 2 } as ProgressNews;
  expect(jobs.map((job) => withProgress(job, news))).toEqual([{ id: "a", progress: 1 }, { id: "b", progress: 2 }]);
});

test("a measurement that the list has already is not taken twice", () => {
  expect(withTail([at(1, 10), at(1, 20)], [at(1, 20), at(1, 30)])).toEqual([at(1, 10), at(1, 20), at(1, 30)]);
});

test("a later attempt begins again with small steps", () => {
  expect(withTail([at(1, 900)], [at(2, 10)])).toEqual([at(1, 900), at(2, 10)]);
});

test("what the stream told before the list came is kept", () => {
  expect(withTail([], [at(1, 1)])).toEqual([at(1, 1)]);
});

test("a measurement moves the curve and the last loss of its job, once, and nobody else's", () => {
  const job = (id: string) => ({ job_id: id, curve: [at(1, 10)], measured_count: 700, result: { step: 10, loss: 10, best_step: 5 } });
  const before = { jobs: [job("a"), job("b")], differences: [] } as unknown as ComparisonOut;
  const news = { job_id: "b", ...at(1, 20) };
  const [a, b] = withMeasurement(withMeasurement(before, news), news).jobs;
  expect(a).toBe(before.jobs[0]);
  expect(b).toMatchObject({ curve: [at(1, 10), at(1, 20)], measured_count: 701, result: { step: 20, loss: 20, best_step: 5 } });
});
