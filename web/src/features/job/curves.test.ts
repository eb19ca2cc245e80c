import { expect, test } from "vitest";
import { isMeasured, smooth, summarize } from "~/features/job/curves";

test("a short curve is left as it is, with its gaps", () => {
  expect(smooth([null, 1, null, 2])).toEqual([null, 1, null, 2]);
});

test("a long curve starts where it starts and swings less", () => {
  const smoothed = smooth(Array.from({ length: 1000 }, (_, index) => index % 2));
  expect(smoothed[0]).toBe(0);
  expect(smoothed[999]).toBeCloseTo(0.5, 1);
});

test("a summary names the last and the lowest value and where that was", () => {
  expect(summarize([10, 20, 30, 40], [3, 1, null, 2])).toEqual({ last: 2, lowest: 1, atStep: 20 });
});

test("nothing measured is no summary and no chart", () => {
  expect(summarize([10], [null])).toBeNull();
  expect(isMeasured([null, null])).toBe(false);
});
