/** A job's metrics as columns for charts. Where nothing was measured there is a gap, never a line. */
import type { MetricOut } from "~/api/generated";

export type MetricName = "loss" | "val_loss" | "learning_rate" | "throughput" | "gpu_utilization" | "gpu_memory_bytes";
export type Column = (number | null | undefined)[];

// A window of about a tenth of the curve, so that a short one is left as it is.
const SHARE = 20;

export function column(metrics: readonly MetricOut[], name: MetricName): Column {
  return metrics.map((metric) => metric[name]);
}

export function isMeasured(values: Column): boolean {
  return values.some((value) => value != null);
}

/** An exponential moving average, for the eye; the raw values are always drawn beside it. */
export function smooth(values: Column): Column {
  const weight = Math.min(1, (2 * SHARE) / (SHARE + values.length));
  let average: number | null = null;
  return values.map((value) => {
    if (value == null) return null;
    average = average === null ? value : average + weight * (value - average);
    return average;
  });
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
