import { useLingui } from "@lingui/react/macro";
import { useComputedColorScheme } from "@mantine/core";
import { useCallback, useEffect, useEffectEvent, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import classes from "~/ui/chart.module.css";
import type { Axis, Zoom } from "~/ui/chart-view";
import { clockTime, duration, exactTime, figure, number } from "~/ui/quantities";
import { useSeen } from "~/ui/seen";

export interface Series {
  label: string;
  // null is a gap; undefined, no measurement at this step, is drawn through.
  values: (number | null | undefined)[];
  color: string;
  isFaint?: boolean;
  isDashed?: boolean;
  hasPoints?: boolean;
}

const HEIGHT = 220;
const DASHES = [6, 4];
const SHARED_CROSSHAIR = "charts";
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- uPlot's enum is for types only
const LOGARITHMIC: uPlot.Scale.Distr = 3;
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;
const WHOLE_TIMES = [1, 2, 5, 10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY];

interface Props {
  /** What a screen reader says; the figures stand in text beside the chart. */
  name: string;
  axis: Axis;
  /** Where on the axis each value stands, in order. */
  positions: number[];
  series: Series[];
  isLog: boolean;
  zoom: Zoom | null;
  onZoom: (zoom: Zoom | null) => void;
}

/**
 * Curves with a crosshair that all charts of a page share; dragging over a stretch zooms in, a double click out. Drawn
 * from when it first comes into view.
 */
export function Chart({ name, axis, positions, series, isLog, zoom, onZoom }: Props) {
  const { t } = useLingui();
  const along = { step: t`step`, elapsed: t`after`, clock: t`at` }[axis];
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { isSeen, place } = useSeen();
  const attach = useCallback(
    (element: HTMLDivElement | null) => {
      box.current = element;
      return place(element);
    },
    [place],
  );
  const scheme = useComputedColorScheme("light");
  const named = JSON.stringify(series.map((each) => ({ ...each, values: [] })));
  const shown = useRef<Shown>({ data: [positions], zoom });
  const zoomTo = useEffectEvent(onZoom);

  useEffect(() => {
    const values = series.map((each) => (isLog ? each.values.map(onLogScale) : each.values));
    shown.current = { data: [positions, ...values], zoom };
    const frame = requestAnimationFrame(() => plot.current && show(plot.current, shown.current));
    return () => cancelAnimationFrame(frame);
  }, [positions, series, isLog, zoom]);

  // Colours are read once, so that another scheme or other series make another chart.
  useEffect(() => {
    const element = box.current;
    if (element === null || !isSeen) return undefined;
    const looks = JSON.parse(named) as Series[];
    const font = `12px ${getComputedStyle(element).fontFamily}`;
    const look = { axis, along, isLog, isDark: scheme === "dark", font, onZoom: (next: Zoom | null) => zoomTo(next) };
    const made = new uPlot(chartOptions(looks, element.clientWidth, look), shown.current.data, element);
    show(made, shown.current);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [named, axis, along, isLog, scheme, isSeen]);

  return <div ref={attach} role="img" aria-label={name} dir="ltr" className={classes.chart} />;
}

interface Shown {
  data: uPlot.AlignedData;
  zoom: Zoom | null;
}

function show(plot: uPlot, { data, zoom }: Shown): void {
  plot.setData(data, zoom === null);
  if (zoom !== null) plot.setScale("x", { min: zoom.from, max: zoom.to });
}

/** There is no place for zero or less. */
function onLogScale(value: number | null | undefined): number | null | undefined {
  return value != null && value <= 0 ? null : value;
}

interface Look {
  axis: Axis;
  along: string; // what the horizontal axis counts
  isLog: boolean;
  isDark: boolean;
  font: string;
  onZoom: (zoom: Zoom | null) => void;
}

function chartOptions(looks: Series[], width: number, { axis, along, isLog, isDark, font, onZoom }: Look): uPlot.Options {
  const ink = isDark ? "#c9c9c9" : "#495057";
  const grid = { stroke: isDark ? "#3b3b3b" : "#e9ecef", width: 1 };
  const lines = { stroke: ink, grid, ticks: grid, font };
  return {
    width,
    height: HEIGHT,
    cursor: {
      sync: { key: SHARED_CROSSHAIR },
      drag: { x: true, y: false, setScale: false },
      bind: { dblclick: () => () => (onZoom(null), null) },
    },
    hooks: {
      setSelect: [
        (plot) => {
          const { left, width: wide } = plot.select;
          if (wide === 0) return;
          plot.setSelect({ ...plot.select, width: 0 }, false);
          onZoom({ from: rounded(plot.posToVal(left, "x")), to: rounded(plot.posToVal(left + wide, "x")) });
        },
      ],
    },
    scales: { x: { time: axis === "clock" }, y: isLog ? { distr: LOGARITHMIC } : {} },
    axes: [
      { ...lines, ...horizontal(axis) },
      { ...lines, size: 64, values: (_, ticks) => ticks.map((tick: number | null) => (tick === null ? "" : figure(tick))) },
    ],
    series: [
      { label: along, value: (_, at: number | null) => (at === null ? "–" : placeText(axis, at)) },
      ...looks.map((each) => ({
        label: each.label,
        stroke: each.isFaint ? `${each.color}99` : each.color,
        width: each.isFaint ? 1 : 2,
        ...(each.isDashed && { dash: DASHES }),
        spanGaps: each.hasPoints ?? false,
        points: { show: each.hasPoints ?? false },
        value: (_: uPlot, value: number | null) => (value === null ? "–" : figure(value)),
      })),
    ],
  };
}

function horizontal(axis: Axis): uPlot.Axis {
  switch (axis) {
    case "step":
      return { values: (_, ticks) => ticks.map((tick) => number(tick)) };
    case "elapsed":
      return { space: 100, incrs: WHOLE_TIMES, values: (_, ticks) => ticks.map((tick) => duration(tick)) };
    case "clock":
      return { space: 100, values: (_, ticks, _axis, _space, apart) => ticks.map((tick) => clockTime(tick, apart >= DAY)) };
  }
}

/** Exactly where the crosshair stands. */
function placeText(axis: Axis, at: number): string {
  return { step: number, elapsed: duration, clock: (seconds: number) => exactTime(seconds * 1000) }[axis](at);
}

/** No more digits in an address than a chart has pixels to show. */
function rounded(position: number): number {
  return Math.round(position * 100) / 100;
}
