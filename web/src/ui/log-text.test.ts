import { expect, test } from "vitest";
import { byAttempt, isError } from "~/ui/log-text";

test("a traceback, an error of any name and a fatal end are errors, what only contains the word is none", () => {
  for (const line of ["Traceback (most recent call last):", "torch.OutOfMemoryError: CUDA", "FATAL: no model", "error: x"])
    expect(isError(line)).toBe(true);
  for (const line of ["step 10 loss 0.3", "terrors of the deep", "errors: 0"]) expect(isError(line)).toBe(false);
});

test("a log without marks is of the newest attempt", () => {
  expect(byAttempt(["one", "two"], 3)).toEqual([{ attempt: 3, lines: ["one", "two"] }]);
  expect(byAttempt([], 1)).toEqual([]);
});

test("each attempt has its lines, and what stands before a mark is of the attempt before", () => {
  expect(byAttempt(["a", "[attempt 2]", "b", "[attempt 3]"], 3)).toEqual([
    { attempt: 1, lines: ["a"] },
    { attempt: 2, lines: ["[attempt 2]", "b"] },
    { attempt: 3, lines: ["[attempt 3]"] },
  ]);
});
