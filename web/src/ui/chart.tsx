import { useLingui } from "@lingui/react/macro";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import classes from "~/ui/chart.module.css";
import { figure, number } from "~/ui/quantities";

export interface Series {
  label: string;
  // null is a gap; undefined, no measurement at this step, is drawn through.
  values: (number | null | undefined)[];
  color: string;
  isFaint?: boolean;
  hasPoints?: boolean;
}

const HEIGHT = 220;
const SHARED_CROSSHAIR = "steps";

/** Curves over training steps. `name` is what a screen reader says; its figures stand in text beside the chart. */
export function Chart({ name, steps, series }: { name: string; steps: number[]; series: Series[] }) {
  const { t } = useLingui();
  const step = t`step`;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const scheme = useComputedColorScheme("light");
  const named = JSON.stringify(series.map((each) => ({ ...each, values: [] })));
  const data = useRef<uPlot.AlignedData>([steps, ...series.map((each) => each.values)]);

  // Colours are read once, so that another scheme or other series make another chart.
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const looks = JSON.parse(named) as Series[];
    const look = { step, isDark: scheme === "dark", font: `12px ${getComputedStyle(element).fontFamily}` };
    const made = new uPlot(chartOptions(looks, element.clientWidth, look), data.current, element);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [named, scheme, step]);

  useEffect(() => {
    data.current = [steps, ...series.map((each) => each.values)];
    const frame = requestAnimationFrame(() => {
      const isZoomed = plot.current !== null && isZoomedIn(plot.current);
      plot.current?.setData(data.current, !isZoomed);
      if (isZoomed) plot.current?.redraw();
    });
    return () => cancelAnimationFrame(frame);
  }, [steps, series]);

  return <div ref={box} role="img" aria-label={name} dir="ltr" className={classes.chart} />;
}

function isZoomedIn(plot: uPlot): boolean {
  const shown = plot.scales["x"];
  const steps = plot.data[0];
  return shown?.min != null && shown.max != null && (shown.min > (steps[0] ?? 0) || shown.max < (steps.at(-1) ?? 0));
}

interface Look {
  step: string; // what the horizontal axis counts
  isDark: boolean;
  font: string;
}

function chartOptions(looks: Series[], width: number, { step, isDark, font }: Look): uPlot.Options {
  const ink = isDark ? "#c9c9c9" : "#495057";
  const grid = { stroke: isDark ? "#3b3b3b" : "#e9ecef", width: 1 };
  const axis = { stroke: ink, grid, ticks: grid, font };
  return {
    width,
    height: HEIGHT,
    cursor: { sync: { key: SHARED_CROSSHAIR }, drag: { x: true, y: false } },
    scales: { x: { time: false } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((tick) => number(tick)) },
      { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => figure(tick)) },
    ],
    series: [
      { label: step, value: (_, at: number | null) => (at === null ? "–" : number(at)) },
      ...looks.map((each) => ({
        label: each.label,
        stroke: each.isFaint ? `${each.color}99` : each.color,
        width: each.isFaint ? 1 : 2,
        spanGaps: each.hasPoints ?? false,
        points: { show: each.hasPoints ?? false },
        value: (_: uPlot, value: number | null) => (value === null ? "–" : figure(value)),
      })),
    ],
  };
}
