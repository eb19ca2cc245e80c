/** Curves of several jobs over the steps of all of them; where a job measured nothing there is a gap. */
import type { MetricOut } from "~/api/generated";

export interface AlignedCurves {
  steps: number[];
  values: (number | null | undefined)[][];
}

export function alignCurves(curves: readonly (readonly MetricOut[])[]): AlignedCurves {
  const steps = [...new Set(curves.flatMap((curve) => curve.map((metric) => metric.step)))].sort((a, b) => a - b);
  const values = curves.map((curve) => {
    const losses = new Map(curve.map((metric) => [metric.step, metric.loss]));
    return steps.map((step) => losses.get(step));
  });
  return { steps, values };
}
