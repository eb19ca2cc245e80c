import { expect, test } from "vitest";
import { neighbour, tableKey } from "~/features/jobs/table-keys";

const press = (key: string, held: Partial<Record<"ctrlKey" | "metaKey" | "altKey", boolean>> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...held,
});
const page = { isTyping: false, isOnJob: false, isOnControl: false };
const job = { ...page, isOnJob: true };

test("on a job, the space bar selects it and p pins it; elsewhere they scroll and write as ever", () => {
  expect([" ", "p", "j", "ArrowUp"].map((key) => tableKey(press(key), job))).toEqual(["select", "pin", "next", "previous"]);
  expect([" ", "p"].map((key) => tableKey(press(key), page))).toEqual([null, null]);
});

test("who writes, presses a button or holds the browser's own keys is left alone", () => {
  expect(tableKey(press("/"), { ...page, isTyping: true })).toBeNull();
  expect(tableKey(press(" "), { ...job, isOnControl: true })).toBeNull();
  expect(tableKey(press("p", { ctrlKey: true }), job)).toBeNull();
  expect(tableKey(press("Enter"), job)).toBeNull();
});

test("a slash goes to the filter and a question mark shows the keys, from anywhere", () => {
  expect(["/", "?"].map((key) => tableKey(press(key), { ...page, isOnControl: true }))).toEqual(["filter", "help"]);
});

test("the way down and up ends at the last and the first", () => {
  const ids = ["a", "b"];
  expect([neighbour(ids, null, 1), neighbour(ids, "a", 1), neighbour(ids, "b", 1)]).toEqual(["a", "b", "b"]);
  expect([neighbour(ids, null, -1), neighbour(ids, "a", -1), neighbour(ids, "gone", 1)]).toEqual(["b", "a", "a"]);
  expect(neighbour([], null, 1)).toBeUndefined();
});
