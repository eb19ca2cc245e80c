import { expect, test } from "vitest";
import { sparkPoints } from "~/ui/spark-points";

test("the largest value is on top, the smallest at the bottom, and the last at the edge", () => {
  expect(sparkPoints([3, 1, 2], 24, 14)).toBe("2.0,2.0 12.0,12.0 22.0,7.0");
});

test("a flat curve and a single value are drawn too", () => {
  expect(sparkPoints([5, 5], 24, 14)).toBe("2.0,12.0 22.0,12.0");
  expect(sparkPoints([5], 24, 14)).toBe("2.0,12.0");
});
