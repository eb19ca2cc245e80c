import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Checkbox, Group, Paper, Stack, Table, Text, Title } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { type StatisticsOut, getStatistics, listRuns } from "~/api/generated";
import classes from "~/features/analytics/analytics.module.css";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { PageLink } from "~/ui/links";
import { Loading } from "~/ui/loading";
import { Page } from "~/ui/page";
import { duration, figure, number } from "~/ui/quantities";
import { StatusBadge } from "~/ui/status-badge";

const ROWS = 50;
const MOST_COMPARED = 6;

export function AnalyticsPage() {
  const { t } = useLingui();
  const statistics = useQuery({
    queryKey: ["statistics"],
    queryFn: async ({ signal }) => (await getStatistics({ signal })).data.data,
  });
  return (
    <Page title={t`Analytics`}>
      {statistics.error && <Failure error={statistics.error} />}
      {statistics.data ? <Figures statistics={statistics.data} /> : <Loading height={120} />}
      <Runs />
    </Page>
  );
}

function Figures({ statistics }: { statistics: StatisticsOut }) {
  const { t } = useLingui();
  const { success_rate: success, mean_queue_seconds: queued, mean_run_seconds: run, cost } = statistics;
  const cards: [string, string][] = [
    [t`Jobs`, number(statistics.total)],
    [t`Succeeded`, success === null ? "–" : number(success, { style: "percent" })],
    [t`Device hours`, number(statistics.gpu_hours, { maximumFractionDigits: 2 })],
    [t`Mean wait`, queued === null ? "–" : duration(queued)],
    [t`Mean run`, run === null ? "–" : duration(run)],
    ...(cost === null ? [] : [[t`Cost`, number(cost, { style: "currency", currency: statistics.currency })] as [string, string]]),
  ];
  return (
    <Stack>
      <div className={classes.cards}>
        {cards.map(([name, value]) => (
          <Paper key={name} withBorder p="md">
            <Text size="sm" c="dimmed">
              {name}
            </Text>
            <Text fz="xl" fw={600}>
              {value}
            </Text>
          </Paper>
        ))}
      </div>
      <Days statistics={statistics} />
    </Stack>
  );
}

/** Jobs by day as bars of text and width, readable without seeing them. */
function Days({ statistics }: { statistics: StatisticsOut }) {
  const days = Object.entries(statistics.by_day);
  if (days.length === 0) return null;
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h5" mb="xs">
        <Trans>Jobs by day</Trans>
      </Title>
      {days.map(([day, tally]) => (
        <Group key={day} gap="sm" wrap="nowrap">
          <Text size="sm" component="bdi" dir="ltr">
            {day}
          </Text>
          <meter className={classes.bar} min={0} max={statistics.total} value={tally.total} aria-label={day} />
          <Text size="sm">{number(tally.total)}</Text>
        </Group>
      ))}
    </Paper>
  );
}

function Runs() {
  const { t } = useLingui();
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<string[]>([]);
  const runs = useQuery({
    queryKey: ["runs"],
    queryFn: async ({ signal }) => (await listRuns({ query: { page_size: ROWS }, signal })).data,
    placeholderData: keepPreviousData,
  });
  if (runs.error) return <Failure error={runs.error} onRetry={() => void runs.refetch()} />;
  if (runs.data === undefined) return <Loading height={240} />;
  if (runs.data.total === 0) return <Empty title={t`No jobs yet`} />;
  const toggle = (id: string, isOn: boolean) =>
    setChosen(isOn ? [...chosen, id].slice(-MOST_COMPARED) : chosen.filter((each) => each !== id));
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={2} size="h4">
          <Trans>History of trainings</Trans>
        </Title>
        <Button disabled={chosen.length < 2} onClick={() => void navigate({ to: "/compare", search: { ids: chosen } })}>
          <Trans>Compare the chosen</Trans>
        </Button>
      </Group>
      <Table.ScrollContainer minWidth={640} type="native" tabIndex={0} role="region" aria-label={t`History of trainings`}>
        <Table>
          <Table.Tbody>
            {runs.data.data.map((run) => (
              <Table.Tr key={run.id}>
                <Table.Td>
                  <Checkbox
                    aria-label={t`Compare ${run.name ?? run.id}`}
                    checked={chosen.includes(run.id)}
                    onChange={(event) => toggle(run.id, event.currentTarget.checked)}
                  />
                </Table.Td>
                <Table.Td>
                  <PageLink to="/jobs/$id" params={{ id: run.jobId }} dir="auto">
                    {run.name ?? run.id.slice(0, 8)}
                  </PageLink>
                </Table.Td>
                <Table.Td>
                  <StatusBadge status={run.status} />
                </Table.Td>
                <Table.Td>{run.trainLoss === null ? "–" : figure(run.trainLoss)}</Table.Td>
                <Table.Td>{run.valLoss === null ? "–" : figure(run.valLoss)}</Table.Td>
                <Table.Td>
                  <bdi dir="ltr">{run.baseModel}</bdi>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}
