import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type StatisticsOut, getStatistics } from "~/api/generated";
import classes from "~/features/analytics/analytics.module.css";
import { Runs } from "~/features/analytics/runs";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { Page } from "~/ui/page";
import { calendarDay, duration, number } from "~/ui/quantities";

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
  const { t } = useLingui();
  const days = Object.entries(statistics.by_day);
  if (days.length === 0) return null;
  const busiest = Math.max(...days.map(([, tally]) => tally.total));
  return (
    <Paper withBorder p="md">
      <Title order={2} size="h5" mb="xs">
        <Trans>Jobs by day</Trans>
      </Title>
      {days.map(([day, tally]) => (
        <Group key={day} gap="sm" wrap="nowrap">
          <Text size="sm" className={classes.day}>
            {calendarDay(day)}
          </Text>
          <meter className={classes.bar} min={0} max={busiest} value={tally.total} aria-label={calendarDay(day)} />
          <Text size="sm" className={classes.tally}>
            {number(tally.total)}
            {tally.success_rate !== null && ` · ${t`${number(tally.success_rate, { style: "percent" })} succeeded`}`}
          </Text>
        </Group>
      ))}
    </Paper>
  );
}
