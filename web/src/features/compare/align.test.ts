import { expect, test } from "vitest";
import type { MetricOut } from "~/api/generated";
import { alignCurves } from "~/features/compare/align";

const at = (step: number, loss: number) => ({ step, loss }) as MetricOut;

test("curves of different steps share one axis, and a step of another job is no gap in the line", () => {
  expect(alignCurves([[at(10, 1), at(30, 2)], [at(20, 3)]])).toEqual({
    steps: [10, 20, 30],
    values: [
      [1, undefined, 2],
      [undefined, 3, undefined],
    ],
  });
});
