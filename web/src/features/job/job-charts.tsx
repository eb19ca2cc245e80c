import { Trans, useLingui } from "@lingui/react/macro";
import { Paper, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { JobOut, MetricOut } from "~/api/generated";
import { withTail } from "~/api/news";
import { type MetricName, column, isMeasured, smooth, summarize } from "~/features/job/curves";
import classes from "~/features/job/job.module.css";
import { metricsQuery } from "~/features/job/queries";
import { Chart, type Series } from "~/ui/chart";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { PointCount } from "~/ui/point-count";
import { figure, number } from "~/ui/quantities";
import { Sheet } from "~/ui/sheet";

const BLUE = "#228be6";
const ORANGE = "#f76707";
const TABLE_ROWS = 100;

export function JobCharts({ job, tail }: { job: JobOut; tail: readonly MetricOut[] }) {
  const { t } = useLingui();
  const metrics = useQuery(metricsQuery(job.id, job.attempt));
  const rows = useMemo(
    () => withTail(metrics.data?.data ?? [], tail).filter((metric) => metric.attempt === job.attempt),
    [metrics.data, tail, job.attempt],
  );
  if (metrics.error && metrics.data === undefined) return <Failure error={metrics.error} />;
  if (metrics.data === undefined) return <Loading height={260} />;
  if (rows.length === 0) {
    return (
      <Empty title={job.completed_at === null ? t`No measurements yet` : t`No measurements`}>
        {job.completed_at === null ? (
          <Trans>They come with the first training steps.</Trans>
        ) : (
          <Trans>It ended before its first training step.</Trans>
        )}
      </Empty>
    );
  }
  const curve = { metrics: rows, measured: metrics.data.measured_count + rows.length - metrics.data.data.length };
  return (
    <Stack>
      <div className={classes.charts}>
        <LossChart {...curve} />
        <SingleChart {...curve} metric="learning_rate" name={t`Learning rate`} />
        <SingleChart {...curve} metric="throughput" name={t`Samples a second`} />
        <SingleChart {...curve} metric="gpu_utilization" name={t`GPU utilisation`} />
        <SingleChart {...curve} metric="gpu_memory_bytes" name={t`GPU memory in bytes`} />
      </div>
      <details>
        <summary>
          <Trans>Show as a table</Trans>
        </summary>
        <MetricTable metrics={rows} />
      </details>
    </Stack>
  );
}

interface Curve {
  metrics: MetricOut[];
  /** How many there are; more than those where the server thinned them. */
  measured: number;
}

function LossChart({ metrics, measured }: Curve) {
  const { t } = useLingui();
  const { steps, series } = useMemo(() => {
    const loss = column(metrics, "loss");
    const held = column(metrics, "val_loss");
    const shown: Series[] = [
      { label: t`loss`, values: loss, color: BLUE, isFaint: true },
      { label: t`smoothed`, values: smooth(loss), color: BLUE },
    ];
    if (isMeasured(held)) shown.push({ label: t`validation`, values: held, color: ORANGE, hasPoints: true });
    return { steps: metrics.map((metric) => metric.step), series: shown };
  }, [metrics, t]);
  return <ChartCard name={t`Loss`} steps={steps} series={series} measured={measured} />;
}

function SingleChart({ metrics, measured, metric, name }: Curve & { metric: MetricName; name: string }) {
  const { steps, series } = useMemo(
    () => ({
      steps: metrics.map((each) => each.step),
      series: [{ label: name, values: column(metrics, metric), color: BLUE }],
    }),
    [metrics, metric, name],
  );
  if (!isMeasured(series[0]?.values ?? [])) return null;
  return <ChartCard name={name} steps={steps} series={series} measured={measured} />;
}

interface ChartCardProps {
  name: string;
  steps: number[];
  series: Series[];
  measured: number;
}

function ChartCard({ name, steps, series, measured }: ChartCardProps) {
  const summary = summarize(steps, series[0]?.values ?? []);
  return (
    <Paper withBorder p="sm">
      <Title order={2} size="h5">
        {name}
      </Title>
      {summary && (
        <Text size="xs" c="dimmed">
          <Trans>
            last {figure(summary.last)}, lowest {figure(summary.lowest)} at step {number(summary.atStep)}
          </Trans>
        </Text>
      )}
      <PointCount shown={steps.length} measured={measured} />
      <Chart name={name} steps={steps} series={series} />
    </Paper>
  );
}

function MetricTable({ metrics }: { metrics: MetricOut[] }) {
  const { t } = useLingui();
  return (
    <Sheet label={t`Measurements`} columns={[t`Step`, t`Loss`, t`Validation`]} minWidth={320}>
      {metrics.slice(-TABLE_ROWS).map((metric) => (
        <Table.Tr key={metric.step}>
          <Table.Td>{number(metric.step)}</Table.Td>
          <Table.Td>{figure(metric.loss)}</Table.Td>
          <Table.Td>{metric.val_loss === null ? "–" : figure(metric.val_loss)}</Table.Td>
        </Table.Tr>
      ))}
    </Sheet>
  );
}
