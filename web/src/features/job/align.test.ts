import { expect, test } from "vitest";
import type { MetricOut } from "~/api/generated";
import { alignCurves, standing } from "~/features/job/align";

test("curves of different steps share one axis, and a step of another job is no gap in the line", () => {
  const curves = [
    { at: [10, 30], columns: [[1, 2]] },
    { at: [20], columns: [[3]] },
  ];
  expect(alignCurves(curves)).toEqual({
    positions: [10, 20, 30],
    columns: [[[1, undefined, 2]], [[undefined, 3, undefined]]],
  });
});

test("measurements that arrived at one time are all there, the smoothed ones beside them", () => {
  const curves = [
    { at: [5, 5, 6], columns: [[1, 9, 2], [1, 2, 3]] },
    { at: [5], columns: [[4], [5]] },
  ];
  expect(alignCurves(curves)).toEqual({
    positions: [5, 5, 6],
    columns: [
      [[1, 9, 2], [1, 2, 3]],
      [[undefined, 4, undefined], [undefined, 5, undefined]],
    ],
  });
});

test("of a step that was trained again the last time stands", () => {
  const at = (attempt: number, step: number) => ({ attempt, step }) as MetricOut;
  expect(standing([at(1, 10), at(1, 20), at(1, 30), at(2, 20)])).toEqual([at(1, 10), at(2, 20), at(1, 30)]);
});
