import { expect, test } from "vitest";
import { byAttempt, isError, numbered, selected } from "~/ui/log-text";

test("a traceback, an error of any name and a fatal end are errors, what only contains the word is none", () => {
  for (const line of ["Traceback (most recent call last):", "torch.OutOfMemoryError: CUDA", "FATAL: no model", "error: x"])
    expect(isError(line)).toBe(true);
  for (const line of ["step 10 loss 0.3", "terrors of the deep", "errors: 0"]) expect(isError(line)).toBe(false);
});

test("lines are numbered as they are in the whole log", () => {
  expect(numbered(["a", "b"], 41)).toEqual([
    { number: 41, text: "a" },
    { number: 42, text: "b" },
  ]);
});

test("a filter selects what is asked for and leaves the lines their numbers", () => {
  const lines = numbered(["Loaded", "error: loaded nothing", "fatal: no room"]);
  const numbers = (words: string, areErrorsOnly = false) =>
    selected(lines, { words, areErrorsOnly }).map(({ number }) => number);
  expect(numbers("")).toEqual([1, 2, 3]);
  expect(numbers("LOADED")).toEqual([1, 2]);
  expect(numbers("", true)).toEqual([2, 3]);
  expect(numbers("loaded", true)).toEqual([2]);
});

test("a log without marks is of the newest attempt", () => {
  expect(byAttempt(numbered(["one", "two"]), 3)).toEqual([{ attempt: 3, lines: numbered(["one", "two"]) }]);
  expect(byAttempt([], 1)).toEqual([]);
});

test("each attempt has its lines, and what stands before a mark is of the attempt before", () => {
  const attempts = byAttempt(numbered(["a", "[attempt 2]", "b", "[attempt 3]"]), 3);
  expect(attempts.map(({ attempt, lines }) => [attempt, ...lines.map(({ number }) => number)])).toEqual([
    [1, 1],
    [2, 2, 3],
    [3, 4],
  ]);
});
