import { expect, test } from "vitest";
import type { MetricOut } from "~/api/generated";
import { isMeasured, isWanted, positionsOf, smooth, summarize, withSmoothed } from "~/features/job/curves";

test("a short curve is left as it is, with its gaps", () => {
  const smoothed = smooth([1, 2, 3, 4], [null, 1, undefined, 2], "light");
  expect(smoothed.slice(0, 3)).toEqual([null, 1, undefined]);
  expect(smoothed[3]).toBeCloseTo(2);
});

test("a long curve starts where it starts and swings less, the less the stronger", () => {
  const steps = Array.from({ length: 1000 }, (_, index) => index);
  const [light, strong] = (["light", "strong"] as const).map((smoothing) => smooth(steps, steps.map((step) => step % 2), smoothing));
  expect(light?.[0]).toBe(0);
  expect(light?.[999]).toBeCloseTo(0.5, 1);
  expect(Math.abs((strong?.[999] ?? 0) - 0.5)).toBeLessThan(Math.abs((light?.[999] ?? 0) - 0.5));
});

test("the more steps lie between two values, the less the first one weighs", () => {
  expect(smooth([0, 1, 100], [0, 1, 1], "strong")[1]).toBeLessThan(0.2);
  expect(smooth([0, 99, 100], [0, 1, 1], "strong")[1]).toBeGreaterThan(0.9);
});

test("the measured values stay beside the smoothed ones", () => {
  const raw = { label: "loss", values: [1, 3], color: "#000" };
  expect(withSmoothed(raw, [1, 2], "off", "smoothed")).toEqual([raw]);
  expect(withSmoothed(raw, [1, 2], "light", "smoothed")[0]).toMatchObject({ values: [1, 3], isFaint: true });
});

test("every axis counts from its own beginning and never backwards", () => {
  const measured = ["2026-01-01T00:00:10Z", "2026-01-01T00:00:12Z", "2026-01-01T00:00:11Z"];
  const metrics = measured.map((at, index) => ({ step: 10 * index, recorded_at: at }) as MetricOut);
  const positions = positionsOf(metrics);
  expect(positions.step).toEqual([0, 10, 20]);
  expect(positions.elapsed).toEqual([0, 2, 2]);
  expect(positions.clock[0]).toBe(Date.parse("2026-01-01T00:00:10Z") / 1000);
});

test("a summary names the last and the lowest value and where that was", () => {
  expect(summarize([10, 20, 30, 40], [3, 1, null, 2])).toEqual({ last: 2, lowest: 1, atStep: 20 });
});

test("nothing measured is no summary and no chart", () => {
  expect(summarize([10], [null])).toBeNull();
  expect(isMeasured([null, null])).toBe(false);
});

test("a metric is found by any part of its name or its key, in any case", () => {
  const named = (typed: string) => isWanted(typed, "gpu_memory_bytes", "GPU memory in bytes");
  expect([" gpu ", "MEM", "memory_b", ""].map(named)).toEqual([true, true, true, true]);
  expect(named("loss")).toBe(false);
});
