import { expect, test } from "vitest";
import type { SampleOut } from "~/api/generated";
import { sharedSeries } from "~/features/compare/shared-series";

const drawn = (step: number, prompt: string, seed: number) => ({ step, prompt, seed, name: `${step}.png`, attempt: 1 }) as SampleOut;

test("each job's last picture of the same prompt and seed stands beside the others'", () => {
  const [row] = sharedSeries([[drawn(0, "a cat", 1), drawn(100, "a cat", 1)], [drawn(50, "a cat", 1)], []]);
  expect(row?.newest.map((sample) => sample?.step)).toEqual([100, 50, undefined]);
});

test("what only one job drew is not compared, nor another seed", () => {
  expect(sharedSeries([[drawn(0, "a cat", 1)], [drawn(0, "a cat", 2)]])).toEqual([]);
});
