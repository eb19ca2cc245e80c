import { act, renderHook } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { type ChartSearch, chartSearch, useChartView, viewOf } from "~/ui/chart-view";

beforeEach(() => localStorage.clear());

test("an address that asks for nothing shows all steps, a little smoothed", () => {
  expect(viewOf(chartSearch({ x: "moon", log: "yes", from: 5, to: 3 }))).toEqual({ x: "step", smooth: "light", log: false, zoom: null });
});

test("what an address asks for is shown, its stretch too", () => {
  expect(viewOf(chartSearch({ x: "clock", smooth: "off", log: true, from: 3, to: 5 }))).toEqual({
    x: "clock",
    smooth: "off",
    log: true,
    zoom: { from: 3, to: 5 },
  });
});

test("a choice is put into the address and is there on the next page; a stretch is not", () => {
  const put: ChartSearch[] = [];
  const page = renderHook(() => useChartView({}, (search) => put.push(search)));
  act(() => page.result.current[1]({ log: true, zoom: { from: 1, to: 2 } }));
  expect(put).toEqual([{ x: "step", smooth: "light", log: true, from: 1, to: 2 }]);
  expect(renderHook(() => useChartView({}, () => undefined)).result.current[0]).toMatchObject({ log: true, zoom: null });
});

test("another axis shows all of it", () => {
  const put: ChartSearch[] = [];
  const page = renderHook(() => useChartView({ from: 1, to: 2 }, (search) => put.push(search)));
  act(() => page.result.current[1]({ x: "elapsed" }));
  expect(put[0]).toMatchObject({ x: "elapsed", from: undefined, to: undefined });
});
