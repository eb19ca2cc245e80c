/** A job's metrics as columns for charts. Where nothing was measured there is a gap, never a line. */
import type { MetricOut } from "~/api/generated";
import type { Series } from "~/ui/chart";
import type { Axis, Smoothing } from "~/ui/chart-view";

export type MetricName = "loss" | "val_loss" | "learning_rate" | "throughput" | "gpu_utilization" | "gpu_memory_bytes";
export type Column = (number | null | undefined)[];

// Over which share of the curve a value fades to a third.
const FADES_OVER: Record<Exclude<Smoothing, "off">, number> = { light: 0.02, strong: 0.1 };

/** Where each measurement stands on each axis; made once, so that another axis costs nothing. */
export function positionsOf(metrics: readonly MetricOut[]): Record<Axis, number[]> {
  let latest = -Infinity;
  const clock = metrics.map((metric) => (latest = Math.max(latest, Date.parse(metric.recorded_at) / 1000)));
  const start = clock[0] ?? 0;
  return { step: metrics.map((metric) => metric.step), elapsed: clock.map((at) => at - start), clock };
}

export function column(metrics: readonly MetricOut[], name: MetricName): Column {
  return metrics.map((metric) => metric[name]);
}

export function isMeasured(values: Column): boolean {
  return values.some((value) => value != null);
}

/** Whether what was typed is in one of a metric's names. */
export function isWanted(typed: string, ...names: string[]): boolean {
  return names.some((name) => name.toLocaleLowerCase().includes(typed.trim().toLocaleLowerCase()));
}

/** An exponential moving average that weighs by how many steps lie between, however few of them are shown. */
export function smooth(steps: readonly number[], values: Column, smoothing: Exclude<Smoothing, "off">): Column {
  const fadesOver = FADES_OVER[smoothing] * Math.max((steps.at(-1) ?? 0) - (steps[0] ?? 0), 1);
  let average: number | null = null;
  let last = 0;
  return values.map((value, index) => {
    if (value == null) return value;
    const step = steps[index] ?? 0;
    average = average === null ? value : value + (average - value) * Math.exp((last - step) / fadesOver);
    last = step;
    return average;
  });
}

/** A curve for the eye with the measured one faint behind it: the numbers are never only smoothed ones. */
export function withSmoothed(raw: Series, steps: readonly number[], smoothing: Smoothing, label: string): Series[] {
  if (smoothing === "off") return [raw];
  return [{ ...raw, isFaint: true }, { ...raw, label, values: smooth(steps, raw.values, smoothing) }];
}

export interface Summary {
  last: number;
  lowest: number;
  atStep: number;
}

/** What somebody who cannot see the chart is told of it. */
export function summarize(steps: readonly number[], values: Column): Summary | null {
  let summary: Summary | null = null;
  values.forEach((value, index) => {
    if (value == null) return;
    const isLowest = summary === null || value < summary.lowest;
    summary = {
      last: value,
      lowest: isLowest ? value : (summary?.lowest ?? value),
      atStep: isLowest ? (steps[index] ?? 0) : (summary?.atStep ?? 0),
    };
  });
  return summary;
}
