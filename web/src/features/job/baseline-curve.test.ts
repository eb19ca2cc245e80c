import { expect, test } from "vitest";
import type { MetricOut } from "~/api/generated";
import { baselineCurve, behind } from "~/features/job/baseline-curve";

const at = (step: number, loss: number) =>
  ({ attempt: 1, step, loss, throughput: null, recorded_at: new Date(step * 1000).toISOString() }) as MetricOut;
const shown = { positions: [10, 20], series: [{ label: "loss", values: [1, 2], color: "#000000" }] };
const pinned = baselineCurve("the best", { color: "#111111", isDashed: true }, [at(20, 3), at(30, 4)]);

test("the baseline's curve stands beside a job's on one axis, in its own colour", () => {
  expect(behind(shown, pinned, "loss", "step")).toEqual({
    positions: [10, 20, 30],
    series: [
      { label: "loss", values: [1, 2, undefined], color: "#000000" },
      { label: "the best", values: [undefined, 3, 4], color: "#111111", isDashed: true },
    ],
  });
});

test("without a baseline, by the clock, and of what it did not measure, a chart is as it was", () => {
  expect(behind(shown, null, "loss", "step")).toBe(shown);
  expect(behind(shown, pinned, "loss", "clock")).toBe(shown);
  expect(behind(shown, pinned, "throughput", "step")).toBe(shown);
});
