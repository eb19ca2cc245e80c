import type { QueryKey } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Refresher } from "~/api/refresher";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A server that answers when told to. */
function server() {
  const asked: QueryKey[] = [];
  const answers: (() => void)[] = [];
  return {
    asked,
    answer: () => answers.splice(0).forEach((resolve) => resolve()),
    invalidateQueries: ({ queryKey }: { queryKey?: QueryKey } = {}) => {
      asked.push(queryKey ?? []);
      return new Promise<void>((resolve) => answers.push(resolve));
    },
  };
}

test("what is marked many times is asked for once", async () => {
  const queries = server();
  const refresher = new Refresher(queries);
  for (let count = 0; count < 5; count++) refresher.mark(["job", "1"]);
  await vi.runAllTimersAsync();
  expect(queries.asked).toEqual([["job", "1"]]);
});

test("what is marked while an answer is awaited is asked for after it, not before", async () => {
  const queries = server();
  const refresher = new Refresher(queries);
  refresher.mark(["log"]);
  await vi.runAllTimersAsync();
  refresher.mark(["log"]);
  await vi.runAllTimersAsync();
  expect(queries.asked).toHaveLength(1);
  queries.answer();
  await vi.runAllTimersAsync();
  expect(queries.asked).toHaveLength(2);
});

test("a page that is left asks for nothing more", async () => {
  const queries = server();
  const refresher = new Refresher(queries);
  refresher.mark(["jobs"]);
  refresher.stop();
  await vi.runAllTimersAsync();
  expect(queries.asked).toEqual([]);
});
