import { Trans, useLingui } from "@lingui/react/macro";
import { Paper, Table, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { type ComparisonOut, compareJobs } from "~/api/generated";
import { alignCurves } from "~/features/compare/align";
import { ComparedSamples } from "~/features/compare/compared-samples";
import { Chart } from "~/ui/chart";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { PageLink } from "~/ui/links";
import { Loading } from "~/ui/loading";
import { Page } from "~/ui/page";
import { PointCount } from "~/ui/point-count";
import { figure } from "~/ui/quantities";
import { Sheet } from "~/ui/sheet";

const COLORS = ["#228be6", "#f76707", "#40a847", "#be4bdb", "#e03131", "#868e96"];

const route = getRouteApi("/signed-in/compare");

export function ComparePage() {
  const { t } = useLingui();
  const { ids } = route.useSearch();
  const comparison = useQuery({
    queryKey: ["compare", ids],
    queryFn: async ({ signal }) => (await compareJobs({ query: { ids }, signal })).data.data,
    enabled: ids.length > 1,
  });
  return (
    <Page title={t`Compare`}>
      {ids.length < 2 && <Empty title={t`Choose two jobs or more in the analytics`} />}
      {comparison.error && <Failure error={comparison.error} />}
      {ids.length > 1 && comparison.isPending && <Loading height={320} />}
      {comparison.data && <Comparison comparison={comparison.data} />}
    </Page>
  );
}

function Comparison({ comparison }: { comparison: ComparisonOut }) {
  const { t } = useLingui();
  const { steps, series } = useMemo(() => {
    const curves = alignCurves(comparison.jobs.map((job) => job.curve));
    return {
      steps: curves.steps,
      series: comparison.jobs.map((job, index) => ({
        label: job.name ?? job.job_id.slice(0, 8),
        values: curves.values[index] ?? [],
        color: COLORS[index % COLORS.length] ?? "#228be6",
        hasPoints: false,
      })),
    };
  }, [comparison]);
  return (
    <>
      <Paper withBorder p="sm">
        <Title order={2} size="h5">
          <Trans>Loss</Trans>
        </Title>
        <PointCount
          shown={sum(comparison.jobs.map((job) => job.curve.length))}
          measured={sum(comparison.jobs.map((job) => job.measured_count))}
        />
        <Chart name={t`Loss`} steps={steps} series={series} />
      </Paper>
      <ContrastTable comparison={comparison} />
      <ComparedSamples jobs={comparison.jobs} />
    </>
  );
}

/** Results, and only the settings that differ. */
function ContrastTable({ comparison }: { comparison: ComparisonOut }) {
  const { t } = useLingui();
  const shown = (value: number | null) => (value === null ? "–" : figure(value));
  const names = comparison.jobs.map((job) => (
    <PageLink key={job.job_id} to="/jobs/$id" params={{ id: job.job_id }}>
      <bdi>{job.name ?? job.job_id.slice(0, 8)}</bdi>
    </PageLink>
  ));
  return (
    <Sheet label={t`What differs`} columns={[t`What differs`, ...names]} minWidth={120 + 100 * comparison.jobs.length}>
      <Table.Tr>
        <Table.Th scope="row">
          <Trans>Loss</Trans>
        </Table.Th>
        {comparison.jobs.map((job) => (
          <Table.Td key={job.job_id}>{shown(job.result.loss)}</Table.Td>
        ))}
      </Table.Tr>
      <Table.Tr>
        <Table.Th scope="row">
          <Trans>Validation</Trans>
        </Table.Th>
        {comparison.jobs.map((job) => (
          <Table.Td key={job.job_id}>{shown(job.result.best_val_loss)}</Table.Td>
        ))}
      </Table.Tr>
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

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function settingText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}
