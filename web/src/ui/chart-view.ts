/** How charts are looked at. It stands in the page's address, to be linked to, and is remembered for the next page. */
import { useMemo } from "react";

export const AXES = ["step", "elapsed", "clock"] as const;
export const SMOOTHINGS = ["off", "light", "strong"] as const;
const STORED_AS = "lorry.charts";

/** What the horizontal axis counts: steps, seconds since the first measurement, or seconds since 1970. */
export type Axis = (typeof AXES)[number];
export type Smoothing = (typeof SMOOTHINGS)[number];

/** A stretch of the horizontal axis. */
export interface Zoom {
  from: number;
  to: number;
}

export interface ChartView {
  x: Axis;
  smooth: Smoothing;
  log: boolean;
  zoom: Zoom | null;
}

/** As it stands in an address; what is left out is as this reader had it last. */
export interface ChartSearch {
  x?: Axis | undefined;
  smooth?: Smoothing | undefined;
  log?: boolean | undefined;
  from?: number | undefined;
  to?: number | undefined;
}

export function chartSearch(search: Record<string, unknown>): ChartSearch {
  const { log, from, to } = search;
  const x = AXES.find((each) => each === search["x"]);
  const smooth = SMOOTHINGS.find((each) => each === search["smooth"]);
  return {
    ...(x !== undefined && { x }),
    ...(smooth !== undefined && { smooth }),
    ...(typeof log === "boolean" && { log }),
    ...(typeof from === "number" && typeof to === "number" && from < to && { from, to }),
  };
}

export function viewOf({ x = "step", smooth = "light", log = false, from, to }: ChartSearch): ChartView {
  return { x, smooth, log, zoom: from === undefined || to === undefined ? null : { from, to } };
}

/** The view that an address asks for, and how to ask for another. A stretch of one axis is none of another. */
export function useChartView(
  search: ChartSearch,
  put: (search: ChartSearch) => void,
): [ChartView, (change: Partial<ChartView>) => void] {
  const view = useMemo(() => viewOf({ ...remembered(), ...chartSearch({ ...search }) }), [search]);
  const change = (part: Partial<ChartView>) => {
    const { zoom, ...looks } = { ...view, ...(part.x !== undefined && { zoom: null }), ...part };
    localStorage.setItem(STORED_AS, JSON.stringify(looks));
    put({ ...looks, from: zoom?.from, to: zoom?.to });
  };
  return [view, change];
}

function remembered(): ChartSearch {
  try {
    return chartSearch(JSON.parse(localStorage.getItem(STORED_AS) ?? "{}") as Record<string, unknown>);
  } catch {
    return {};
  }
}
