import { act, renderHook } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { comparing, pin, toggle, useBaseline } from "~/ui/baseline";

beforeEach(() => pin(null));

test("what is pinned is known everywhere, and pinning it again takes it away", () => {
  const [page, other] = [renderHook(() => useBaseline()), renderHook(() => useBaseline())];
  act(() => toggle("a"));
  expect([page.result.current, other.result.current]).toEqual(["a", "a"]);
  act(() => toggle("b"));
  expect(page.result.current).toBe("b");
  act(() => toggle("b"));
  expect(page.result.current).toBeNull();
});

test("the baseline is compared with whatever is chosen, once and in front", () => {
  expect(comparing(["a", "b"], "b")).toEqual({ ids: ["b", "a"], baseline: "b" });
  expect(comparing(["a"], "b")).toEqual({ ids: ["b", "a"], baseline: "b" });
  expect(comparing(["a"], null)).toEqual({ ids: ["a"] });
});
