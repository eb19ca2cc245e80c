/** A metric of a job with the baseline's behind it. */
import type { MetricOut } from "~/api/generated";
import { alignCurves, standing } from "~/features/job/align";
import { type MetricName, column, isMeasured, positionsOf } from "~/features/job/curves";
import type { Series } from "~/ui/chart";
import type { Axis } from "~/ui/chart-view";
import type { RunLook } from "~/ui/run-colors";

/** What is known of the baseline for every chart. */
export interface BaselineCurve {
  label: string;
  look: RunLook;
  metrics: readonly MetricOut[];
  at: Record<Axis, number[]>;
}

export function baselineCurve(label: string, look: RunLook, metrics: readonly MetricOut[]): BaselineCurve {
  const stands = standing(metrics);
  return { label, look, metrics: stands, at: positionsOf(stands) };
}

interface Placed {
  positions: number[];
  series: Series[];
}

/** By the clock the two have nothing in common, and of what the baseline did not measure there is nothing to show. */
export function behind(shown: Placed, baseline: BaselineCurve | null, metric: MetricName, axis: Axis): Placed {
  if (baseline === null || axis === "clock") return shown;
  const values = column(baseline.metrics, metric);
  if (!isMeasured(values)) return shown;
  const { positions, columns } = alignCurves([
    { at: shown.positions, columns: shown.series.map((each) => each.values) },
    { at: baseline.at[axis], columns: [values] },
  ]);
  const series = shown.series.map((each, place) => ({ ...each, values: columns[0]?.[place] ?? [] }));
  return { positions, series: [...series, { label: baseline.label, values: columns[1]?.[0] ?? [], ...baseline.look }] };
}
