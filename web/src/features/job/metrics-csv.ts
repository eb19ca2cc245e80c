import type { MetricOut } from "~/api/generated";

const COLUMNS = [
  "attempt",
  "step",
  "epoch",
  "loss",
  "val_loss",
  "learning_rate",
  "throughput",
  "gpu_utilization",
  "gpu_memory_bytes",
  "recorded_at",
] as const satisfies readonly (keyof MetricOut)[];

/** Measurements as RFC 4180 wants them; what was not measured is an empty field. */
export function csvOf(metrics: readonly MetricOut[]): string {
  const lines = metrics.map((metric) => COLUMNS.map((name) => metric[name] ?? "").join(","));
  return [COLUMNS.join(","), ...lines, ""].join("\r\n");
}
