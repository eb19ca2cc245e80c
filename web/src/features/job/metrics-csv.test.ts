import { expect, test } from "vitest";
import type { MetricOut } from "~/api/generated";
import { csvOf } from "~/features/job/metrics-csv";

test("a table has a heading, every measurement with all its digits, and nothing where nothing was measured", () => {
  const metric: MetricOut = {
    attempt: 1,
    step: 10,
    epoch: 0,
    loss: 0.123456789,
    val_loss: null,
    learning_rate: 0.00001,
    throughput: null,
    gpu_utilization: null,
    gpu_memory_bytes: 0,
    recorded_at: "2026-01-01T00:00:00Z",
  };
  const [heading, line, end] = csvOf([metric]).split("\r\n");
  expect(heading).toBe("attempt,step,epoch,loss,val_loss,learning_rate,throughput,gpu_utilization,gpu_memory_bytes,recorded_at");
  expect(line).toBe("1,10,0,0.123456789,,0.00001,,,0,2026-01-01T00:00:00Z");
  expect(end).toBe("");
});
