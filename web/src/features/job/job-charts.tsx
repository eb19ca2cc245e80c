import { Trans, useLingui } from "@lingui/react/macro";
import { Paper, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import type { JobOut, MetricOut } from "~/api/generated";
import { withTail } from "~/api/news";
import { type MetricName, column, isMeasured, positionsOf, summarize, withSmoothed } from "~/features/job/curves";
import classes from "~/features/job/job.module.css";
import { MetricsDownload } from "~/features/job/metrics-download";
import { ALL_POINTS, metricsQuery } from "~/features/job/queries";
import { Chart, type Series } from "~/ui/chart";
import { ChartControls } from "~/ui/chart-controls";
import { type Axis, type ChartView, type Zoom, useChartView } from "~/ui/chart-view";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { PointCount } from "~/ui/point-count";
import { figure, number } from "~/ui/quantities";
import { Sheet } from "~/ui/sheet";

const BLUE = "#228be6";
const ORANGE = "#f76707";
const TABLE_ROWS = 100;

const route = getRouteApi("/signed-in/jobs/$id");

export function JobCharts({ job, tail }: { job: JobOut; tail: readonly MetricOut[] }) {
  const { t } = useLingui();
  const navigate = route.useNavigate();
  const [view, change] = useChartView(
    route.useSearch(),
    (search) => void navigate({ search: (known) => ({ ...known, ...search }), replace: true, resetScroll: false }),
  );
  const { metrics, rows, measured, isLoadingAll } = useCurve(job, tail, view.zoom !== null);
  const positions = useMemo(() => positionsOf(rows), [rows]);
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
  const curve = { metrics: rows, measured, positions, view, onZoom: (zoom: Zoom | null) => change({ zoom }) };
  return (
    <Stack>
      <ChartControls view={view} onChange={change}>
        <MetricsDownload job={job} />
        {isLoadingAll && (
          <Text size="xs" c="dimmed" role="status">
            <Trans>Loading every point…</Trans>
          </Text>
        )}
      </ChartControls>
      <div className={classes.charts}>
        <LossChart {...curve} />
        <SingleChart {...curve} metric="learning_rate" name={t`Learning rate`} isExact />
        <SingleChart {...curve} metric="throughput" name={t`Samples a second`} />
        <SingleChart {...curve} metric="gpu_utilization" name={t`GPU utilisation`} />
        <SingleChart {...curve} metric="gpu_memory_bytes" name={t`GPU memory in bytes`} isExact />
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

/** A job's measurements; every one of them where somebody looks closely. */
function useCurve(job: JobOut, tail: readonly MetricOut[], isZoomed: boolean) {
  const metrics = useQuery(metricsQuery(job.id, job.attempt));
  const isThinned = metrics.data !== undefined && metrics.data.data.length < metrics.data.measured_count;
  const all = useQuery({ ...metricsQuery(job.id, job.attempt, ALL_POINTS), enabled: isZoomed && isThinned });
  const listing = (isZoomed ? all.data : undefined) ?? metrics.data;
  const rows = useMemo(
    () => withTail(listing?.data ?? [], tail).filter((metric) => metric.attempt === job.attempt),
    [listing, tail, job.attempt],
  );
  const measured = listing === undefined ? 0 : listing.measured_count + rows.length - listing.data.length;
  return { metrics, rows, measured, isLoadingAll: all.isLoading };
}

interface Curve {
  metrics: MetricOut[];
  /** How many there are; more than those where the server thinned them. */
  measured: number;
  positions: Record<Axis, number[]>;
  view: ChartView;
  onZoom: (zoom: Zoom | null) => void;
}

function LossChart({ metrics, ...curve }: Curve) {
  const { t } = useLingui();
  const { positions, view } = curve;
  const series = useMemo(() => {
    const held = column(metrics, "val_loss");
    const loss = { label: t`loss`, values: column(metrics, "loss"), color: BLUE };
    const shown = withSmoothed(loss, positions.step, view.smooth, t`smoothed`);
    if (isMeasured(held)) shown.push({ label: t`validation`, values: held, color: ORANGE, hasPoints: true });
    return shown;
  }, [metrics, positions, view.smooth, t]);
  return <ChartCard name={t`Loss`} series={series} {...curve} />;
}

interface SingleChartProps extends Curve {
  metric: MetricName;
  name: string;
  /** Set, not measured with noise: nothing to smooth. */
  isExact?: boolean;
}

function SingleChart({ metrics, metric, name, isExact = false, ...curve }: SingleChartProps) {
  const { t } = useLingui();
  const { positions, view } = curve;
  const smoothing = isExact ? "off" : view.smooth;
  const series = useMemo(
    () => withSmoothed({ label: name, values: column(metrics, metric), color: BLUE }, positions.step, smoothing, t`smoothed`),
    [metrics, metric, name, positions, smoothing, t],
  );
  if (!isMeasured(series[0]?.values ?? [])) return null;
  return <ChartCard name={name} series={series} {...curve} />;
}

interface ChartCardProps extends Omit<Curve, "metrics"> {
  name: string;
  series: Series[];
}

function ChartCard({ name, series, measured, positions, view, onZoom }: ChartCardProps) {
  const summary = summarize(positions.step, series[0]?.values ?? []);
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
      <PointCount shown={positions.step.length} measured={measured} />
      <Chart name={name} axis={view.x} positions={positions[view.x]} series={series} isLog={view.log} zoom={view.zoom} onZoom={onZoom} />
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
