import { Trans, useLingui } from "@lingui/react/macro";
import { Paper, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { JobOut, MetricOut } from "~/api/generated";
import { withTail } from "~/api/news";
import { type BaselineCurve, baselineCurve, behind } from "~/features/job/baseline-curve";
import { useBaselineJob } from "~/features/job/baseline-job";
import { type MetricName, column, isMeasured, isWanted, positionsOf, summarize, withSmoothed } from "~/features/job/curves";
import classes from "~/features/job/job.module.css";
import { MetricsDownload } from "~/features/job/metrics-download";
import { ALL_POINTS, metricsQuery } from "~/features/job/queries";
import { Chart, type Series } from "~/ui/chart";
import { ChartControls } from "~/ui/chart-controls";
import { type Axis, type ChartView, type Zoom, useChartView } from "~/ui/chart-view";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { jobName } from "~/ui/names";
import { PointCount } from "~/ui/point-count";
import { figure, number } from "~/ui/quantities";
import { colorOf, looksOf } from "~/ui/run-colors";
import { Sheet } from "~/ui/sheet";

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
  const baseline = useBaselineCurve(job.id);
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
  const onZoom = (zoom: Zoom | null) => change({ zoom });
  return (
    <Stack>
      <ChartControls view={view} onChange={change}>
        <MetricFilter />
        <MetricsDownload job={job} />
        {isLoadingAll && (
          <Text size="xs" c="dimmed" role="status">
            <Trans>Loading every point…</Trans>
          </Text>
        )}
      </ChartControls>
      <MetricCharts metrics={rows} measured={measured} positions={positions} view={view} onZoom={onZoom} baseline={baseline} color={colorOf(job.id)} />
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

/** The pinned run's curves, where that is another one. */
function useBaselineCurve(jobId: string): BaselineCurve | null {
  const pinned = useBaselineJob();
  const other = pinned === null || pinned.id === jobId ? null : pinned;
  const { data } = useQuery({ ...metricsQuery(other?.id ?? "", other?.attempt ?? 0), enabled: other !== null });
  const name = other && jobName(other);
  return useMemo(() => {
    const look = other && looksOf([jobId, other.id])[1];
    return look && name !== null && data !== undefined ? baselineCurve(name, look, data.data) : null;
  }, [jobId, other, name, data]);
}

/** Stands in the address with the rest of how the charts are looked at. */
function MetricFilter() {
  const { t } = useLingui();
  const navigate = route.useNavigate();
  const [typed, setTyped] = useState(route.useSearch().metric ?? "");
  return (
    <TextInput
      size="xs"
      aria-label={t`Filter metrics`}
      placeholder={t`Filter metrics`}
      value={typed}
      onChange={(event) => {
        const metric = event.currentTarget.value;
        setTyped(metric);
        void navigate({ search: (known) => ({ ...known, metric: metric || undefined }), replace: true, resetScroll: false });
      }}
      dir="auto"
    />
  );
}

interface Curve {
  metrics: MetricOut[];
  /** How many there are; more than those where the server thinned them. */
  measured: number;
  positions: Record<Axis, number[]>;
  view: ChartView;
  onZoom: (zoom: Zoom | null) => void;
  baseline: BaselineCurve | null;
  color: string;
}

function MetricCharts(curve: Curve) {
  const { t } = useLingui();
  const { metric: typed = "" } = route.useSearch();
  const named: [MetricName, string][] = [
    ["loss", t`Loss`],
    ["learning_rate", t`Learning rate`],
    ["throughput", t`Samples a second`],
    ["gpu_utilization", t`GPU utilisation`],
    ["gpu_memory_bytes", t`GPU memory in bytes`],
  ];
  const measured = named.filter(([metric]) => isMeasured(column(curve.metrics, metric)));
  const wanted = measured.filter(([metric, name]) => isWanted(typed, metric, name));
  if (wanted.length === 0) {
    return (
      <Empty title={t`No metric matches`}>
        <Trans>There are: {measured.map(([, name]) => name).join(", ")}.</Trans>
      </Empty>
    );
  }
  return (
    <div className={classes.charts}>
      {wanted.map(([metric, name]) =>
        metric === "loss" ? <LossChart key={metric} {...curve} /> : <SingleChart key={metric} {...curve} metric={metric} name={name} />,
      )}
    </div>
  );
}

function LossChart({ metrics, color, ...curve }: Curve) {
  const { t } = useLingui();
  const { positions, view } = curve;
  const series = useMemo(() => {
    const held = column(metrics, "val_loss");
    const loss = { label: t`loss`, values: column(metrics, "loss"), color };
    const shown = withSmoothed(loss, positions.step, view.smooth, t`smoothed`);
    if (isMeasured(held)) shown.push({ label: t`validation`, values: held, color, isDashed: true, hasPoints: true });
    return shown;
  }, [metrics, color, positions, view.smooth, t]);
  return <ChartCard metric="loss" name={t`Loss`} series={series} {...curve} />;
}

// Set, not measured with noise: nothing to smooth.
const EXACT: readonly MetricName[] = ["learning_rate", "gpu_memory_bytes"];

function SingleChart({ metrics, metric, name, color, ...curve }: Curve & { metric: MetricName; name: string }) {
  const { t } = useLingui();
  const { positions, view } = curve;
  const smoothing = EXACT.includes(metric) ? "off" : view.smooth;
  const series = useMemo(
    () => withSmoothed({ label: name, values: column(metrics, metric), color }, positions.step, smoothing, t`smoothed`),
    [metrics, metric, name, color, positions, smoothing, t],
  );
  return <ChartCard metric={metric} name={name} series={series} {...curve} />;
}

interface ChartCardProps extends Omit<Curve, "metrics" | "color"> {
  metric: MetricName;
  name: string;
  series: Series[];
}

function ChartCard({ metric, name, series, measured, positions, view, onZoom, baseline }: ChartCardProps) {
  const summary = summarize(positions.step, series[0]?.values ?? []);
  const shown = useMemo(
    () => behind({ positions: positions[view.x], series }, baseline, metric, view.x),
    [positions, view.x, series, baseline, metric],
  );
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
      <Chart name={name} axis={view.x} {...shown} isLog={view.log} zoom={view.zoom} onZoom={onZoom} />
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
