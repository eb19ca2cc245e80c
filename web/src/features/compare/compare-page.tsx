import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Paper, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Fragment, type ReactNode, useMemo } from "react";
import type { ComparedJob, ComparisonOut, ResultOut } from "~/api/generated";
import { ComparedSamples } from "~/features/compare/compared-samples";
import { comparisonQuery, useLiveComparison } from "~/features/compare/live-comparison";
import { nameOf } from "~/features/compare/names";
import { alignCurves, standing } from "~/features/job/align";
import { column, positionsOf, withSmoothed } from "~/features/job/curves";
import { pin } from "~/ui/baseline";
import { BaselineButton } from "~/ui/baseline-button";
import { Chart } from "~/ui/chart";
import { ChartControls } from "~/ui/chart-controls";
import { type ChartView, useChartView } from "~/ui/chart-view";
import { CheckpointLink } from "~/ui/checkpoint-link";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { FigureAtStep } from "~/ui/figure-at-step";
import { PageLink } from "~/ui/links";
import { LiveMark } from "~/ui/live-mark";
import { Loading } from "~/ui/loading";
import { settingText } from "~/ui/names";
import { Page } from "~/ui/page";
import { PointCount } from "~/ui/point-count";
import { signed } from "~/ui/quantities";
import { RunColor } from "~/ui/run-color";
import { type RunLook, looksOf } from "~/ui/run-colors";
import { Sheet } from "~/ui/sheet";

// What the server hands out at most; a longer curve is thinned still, and says so.
const ALL_POINTS = 10_000;

const route = getRouteApi("/signed-in/compare");

export function ComparePage() {
  const { t } = useLingui();
  const { ids, baseline = null, ...search } = route.useSearch();
  const navigate = route.useNavigate();
  const [view, change] = useChartView(
    search,
    (asked) => void navigate({ search: (known) => ({ ...known, ...asked }), replace: true, resetScroll: false }),
  );
  const comparison = useQuery(comparisonQuery(ids, baseline));
  const isThinned = comparison.data?.jobs.some((job) => job.curve.length < job.measured_count) ?? false;
  const closeUp = useQuery({ ...comparisonQuery(ids, baseline, ALL_POINTS), enabled: isThinned && view.zoom !== null });
  const link = useLiveComparison(comparison.data);
  const pinTo = (id: string | null) => {
    pin(id);
    void navigate({ search: (known) => ({ ...known, baseline: id ?? undefined }), replace: true, resetScroll: false });
  };
  return (
    <Page title={t`Compare`} actions={<LiveMark state={link} />}>
      {ids.length < 2 && <Empty title={t`Choose two jobs or more in the analytics`} />}
      {comparison.error && <Failure error={comparison.error} />}
      {ids.length > 1 && comparison.isPending && <Loading height={320} />}
      {comparison.data && (
        <>
          <ChartControls view={view} onChange={change} />
          <LossChart jobs={(view.zoom && closeUp.data ? closeUp.data : comparison.data).jobs} view={view} onChange={change} />
          <ContrastTable comparison={comparison.data} onPin={pinTo} />
          <ComparedSamples jobs={comparison.data.jobs} />
        </>
      )}
    </Page>
  );
}

interface LossChartProps {
  jobs: readonly ComparedJob[];
  view: ChartView;
  onChange: (change: Partial<ChartView>) => void;
}

function LossChart({ jobs, view, onChange }: LossChartProps) {
  const { t } = useLingui();
  const curves = useMemo(() => {
    const looks = looksOf(jobs.map((job) => job.job_id));
    return jobs.map((job, place) => lossCurve(job, looks[place]));
  }, [jobs]);
  const { positions, series } = useMemo(() => {
    const shown = curves.map(({ raw, at }) => withSmoothed(raw, at.step, view.smooth, t`${raw.label}, smoothed`));
    const placed = shown.map((each, place) => ({ at: curves[place]?.at[view.x] ?? [], columns: each.map(({ values }) => values) }));
    const aligned = alignCurves(placed);
    const drawn = shown.flatMap((each, place) =>
      each.map((one, index) => ({ ...one, values: aligned.columns[place]?.[index] ?? [] })),
    );
    return { positions: aligned.positions, series: drawn };
  }, [curves, view.x, view.smooth, t]);
  return (
    <Paper withBorder p="sm">
      <Title order={2} size="h5">
        <Trans>Loss</Trans>
      </Title>
      <PointCount shown={sum(jobs.map((job) => job.curve.length))} measured={sum(jobs.map((job) => job.measured_count))} />
      <Chart
        name={t`Loss`}
        axis={view.x}
        positions={positions}
        series={series}
        isLog={view.log}
        zoom={view.zoom}
        onZoom={(zoom) => onChange({ zoom })}
      />
    </Paper>
  );
}

function lossCurve(job: ComparedJob, look: RunLook = { color: "", isDashed: false }) {
  const metrics = standing(job.curve);
  return { at: positionsOf(metrics), raw: { label: nameOf(job), values: column(metrics, "loss"), ...look } };
}

/** Results, and only the settings that differ. */
function ContrastTable({ comparison, onPin }: { comparison: ComparisonOut; onPin: (id: string | null) => void }) {
  const { t } = useLingui();
  const looks = looksOf(comparison.jobs.map((job) => job.job_id));
  const names = comparison.jobs.map((job, place) => (
    <Fragment key={job.job_id}>
      <Group gap="xs">
        <RunColor id={job.job_id} look={looks[place]} />
        <PageLink to="/jobs/$id" params={{ id: job.job_id }}>
          <bdi>{nameOf(job)}</bdi>
        </PageLink>
        <BaselineButton id={job.job_id} name={nameOf(job)} pinned={comparison.baseline} onPin={onPin} />
      </Group>
    </Fragment>
  ));
  return (
    <Sheet label={t`What differs`} columns={[t`What differs`, ...names]} minWidth={120 + 100 * comparison.jobs.length}>
      <ResultRow name={<Trans>Last loss</Trans>} jobs={comparison.jobs}>
        {({ loss, step }, { over_baseline: over }) =>
          loss !== null && (
            <>
              <FigureAtStep value={loss} step={step} />
              <OverBaseline by={over?.loss} />
            </>
          )
        }
      </ResultRow>
      <ResultRow name={<Trans>Lowest loss</Trans>} jobs={comparison.jobs}>
        {({ best_loss: best, best_loss_step: step }) => best !== null && <FigureAtStep value={best} step={step} />}
      </ResultRow>
      <ResultRow name={<Trans>Best validation</Trans>} jobs={comparison.jobs}>
        {({ best_val_loss: best, best_step: step }, { over_baseline: over }) =>
          best !== null && (
            <>
              <FigureAtStep value={best} step={step} />
              <OverBaseline by={over?.best_val_loss} />
            </>
          )
        }
      </ResultRow>
      <ResultRow name={<Trans>Best checkpoint</Trans>} jobs={comparison.jobs}>
        {({ best_checkpoint: name }, job) =>
          name !== null && <CheckpointLink jobId={job.job_id} name={name} />
        }
      </ResultRow>
      {comparison.differences.map((difference) => (
        <Table.Tr key={difference.field}>
          <Table.Th scope="row" fw={400}>
            <bdi dir="ltr">{difference.field}</bdi>
          </Table.Th>
          {comparison.jobs.map((job) => (
            <Table.Td key={job.job_id}>
              <bdi>{settingText(difference.values[job.job_id])}</bdi>
            </Table.Td>
          ))}
        </Table.Tr>
      ))}
    </Sheet>
  );
}

function OverBaseline({ by }: { by: number | null | undefined }) {
  if (by == null) return null;
  return (
    <Text size="xs" c="dimmed">
      <Trans>{signed(by)} from the baseline</Trans>
    </Text>
  );
}

interface ResultRowProps {
  name: ReactNode;
  jobs: readonly ComparedJob[];
  /** What to say of a job; false where there is nothing. */
  children: (result: ResultOut, job: ComparedJob) => ReactNode;
}

function ResultRow({ name, jobs, children }: ResultRowProps) {
  return (
    <Table.Tr>
      <Table.Th scope="row">{name}</Table.Th>
      {jobs.map((job) => (
        <Table.Td key={job.job_id}>{children(job.result, job) || "–"}</Table.Td>
      ))}
    </Table.Tr>
  );
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
