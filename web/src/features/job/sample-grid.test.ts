import { expect, test } from "vitest";
import type { SampleOut } from "~/api/generated";
import { placeOf, seriesOf, stepsOf } from "~/features/job/sample-grid";

const drawn = (step: number | null, prompt: string | null, seed: number | null, attempt = 1) =>
  ({ artifact_id: `${attempt}/${step}/${prompt}/${seed}`, attempt, step, prompt, seed, name: `${step}.png` }) as SampleOut;

test("steps stand in order, each once", () => {
  expect(stepsOf([drawn(200, "a", 1), drawn(0, "a", 1), drawn(200, "b", 1)])).toEqual([0, 200]);
});

test("the same prompt and seed are one series, another seed is another", () => {
  const series = seriesOf([drawn(0, "a", 1), drawn(0, "a", 2), drawn(100, "a", 1)]);
  expect(series.map(({ seed, byStep }) => [seed, [...byStep.keys()]])).toEqual([
    [1, [0, 100]],
    [2, [0]],
  ]);
});

test("the later attempt's picture of a step is shown", () => {
  const [series] = seriesOf([drawn(100, "a", 1, 1), drawn(100, "a", 1, 2)]);
  expect(series?.byStep.get(100)?.attempt).toBe(2);
});

test("pictures of which nothing is known are not taken for one another", () => {
  expect(seriesOf([drawn(1, null, null), drawn(2, null, null)])).toHaveLength(2);
});

test("a chosen step is found among the steps, and one that is not there is the newest", () => {
  expect(placeOf([0, 50, 100], 50, 2)).toBe(1);
  expect(placeOf([0, 50, 100], undefined, 2)).toBe(2);
  expect(placeOf([0, 50, 100], 77, 2)).toBe(2);
});
