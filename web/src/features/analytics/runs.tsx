import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Checkbox, Group, Pagination, Stack, Table, Title } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { type RunOut, listRuns } from "~/api/generated";
import { useBaselineJob } from "~/features/job/baseline-job";
import { comparing } from "~/ui/baseline";
import { CheckpointLink } from "~/ui/checkpoint-link";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { FigureAtStep } from "~/ui/figure-at-step";
import { PageLink } from "~/ui/links";
import { Loading } from "~/ui/loading";
import { jobName } from "~/ui/names";
import { percent } from "~/ui/quantities";
import { RunColor } from "~/ui/run-color";
import { Sheet } from "~/ui/sheet";
import { NEWEST, SortSelect } from "~/ui/sort-select";
import { StatusBadge } from "~/ui/status-badge";
import { When } from "~/ui/when";

const PAGE_SIZE = 25;
// Trainings that have not ended move on.
const MOVING_MS = 5_000;
const MOST_COMPARED = 6;

/** What came of each training; some of them are chosen, over several pages, to be compared. */
export function Runs() {
  const { t } = useLingui();
  const navigate = useNavigate();
  const [page, setPage] = useState(1);
  const [sort, setSort] = useState(NEWEST);
  const [chosen, setChosen] = useState<string[]>([]);
  const comparison = comparing(chosen, useBaselineJob()?.id ?? null);
  const runs = useQuery({
    queryKey: ["runs", page, sort],
    queryFn: async ({ signal }) => (await listRuns({ query: { page, page_size: PAGE_SIZE, sort }, signal })).data,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.data.some((run) => run.finishedAt === null) ? MOVING_MS : false),
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
        <SortSelect
          value={sort}
          onChange={(order) => {
            setSort(order);
            setPage(1);
          }}
        />
        <Button
          disabled={chosen.length === 0 || comparison.ids.length < 2}
          onClick={() => void navigate({ to: "/compare", search: comparison })}
        >
          <Trans>Compare the chosen</Trans>
        </Button>
      </Group>
      <RunTable runs={runs.data.data} chosen={chosen} onToggle={toggle} />
      {runs.data.total > PAGE_SIZE && (
        <Pagination
          value={page}
          total={Math.ceil(runs.data.total / PAGE_SIZE)}
          onChange={setPage}
          getControlProps={(control) => ({ "aria-label": control })}
          getItemProps={(item) => ({ "aria-label": t`Page ${item}` })}
        />
      )}
    </Stack>
  );
}

interface RunTableProps {
  runs: RunOut[];
  chosen: readonly string[];
  onToggle: (id: string, isOn: boolean) => void;
}

function RunTable({ runs, chosen, onToggle }: RunTableProps) {
  const { t } = useLingui();
  const columns = [t`Compare`, t`Job`, t`State`, t`Progress`, t`Last loss`, t`Lowest loss`, t`Best validation`, t`Best checkpoint`, t`Base model`, t`Started`];
  return (
    <Sheet label={t`History of trainings`} columns={columns} minWidth={960}>
      {runs.map((run) => (
        <Run key={run.id} run={run} isChosen={chosen.includes(run.id)} onToggle={onToggle} />
      ))}
    </Sheet>
  );
}

function Run({ run, isChosen, onToggle }: { run: RunOut; isChosen: boolean; onToggle: RunTableProps["onToggle"] }) {
  const { t } = useLingui();
  return (
    <Table.Tr>
      <Table.Td>
        <Checkbox
          aria-label={t`Compare ${run.name ?? run.id}`}
          checked={isChosen}
          onChange={(event) => onToggle(run.id, event.currentTarget.checked)}
        />
      </Table.Td>
      <Table.Td>
        <RunColor id={run.jobId} />{" "}
        <PageLink to="/jobs/$id" params={{ id: run.jobId }} dir="auto">
          {jobName(run)}
        </PageLink>
      </Table.Td>
      <Table.Td>
        <StatusBadge status={run.status} />
      </Table.Td>
      <Table.Td>{percent(run.progress)}</Table.Td>
      <Table.Td>{run.trainLoss === null ? "–" : <FigureAtStep value={run.trainLoss} step={run.step} />}</Table.Td>
      <Table.Td>{run.bestTrainLoss === null ? "–" : <FigureAtStep value={run.bestTrainLoss} step={run.bestTrainStep} />}</Table.Td>
      <Table.Td>{run.bestValLoss === null ? "–" : <FigureAtStep value={run.bestValLoss} step={run.bestStep} />}</Table.Td>
      <Table.Td>
        {run.bestCheckpoint === null ? (
          "–"
        ) : (
          <CheckpointLink jobId={run.jobId} name={run.bestCheckpoint} />
        )}
      </Table.Td>
      <Table.Td>
        <bdi dir="ltr">{run.baseModel}</bdi>
      </Table.Td>
      <Table.Td>{run.startedAt === null ? "–" : <When at={run.startedAt} />}</Table.Td>
    </Table.Tr>
  );
}
