import { expect, test } from "vitest";
import { colorOf, looksOf } from "~/ui/run-colors";

const ids = Array.from({ length: 60 }, (_, number) => `b9a4d2f0-8f6e-4a55-9d8e-${String(number).padStart(12, "0")}`);

test("a run has one colour, and runs have many", () => {
  expect(ids.map(colorOf)).toEqual(ids.map(colorOf));
  expect(new Set(ids.map(colorOf)).size).toBe(12);
});

test("two runs of one colour are told apart, and keep it", () => {
  const [first, second] = ids.filter((id) => colorOf(id) === colorOf(ids[0] ?? ""));
  expect(looksOf([first ?? "", second ?? ""])).toEqual([
    { color: colorOf(first ?? ""), isDashed: false },
    { color: colorOf(first ?? ""), isDashed: true },
  ]);
});
