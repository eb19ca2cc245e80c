import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Pagination, Skeleton, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Suspense, lazy, useRef, useState } from "react";
import { useBaselineJob } from "~/features/job/baseline-job";
import { DeletedJobs } from "~/features/jobs/deleted-jobs";
import { JobFilters } from "~/features/jobs/job-filters";
import { type Choice, JobTable } from "~/features/jobs/job-table";
import { useLiveJobs } from "~/features/jobs/live-jobs";
import { jobsQuery, queueQuery } from "~/features/jobs/queries";
import { useTableKeys } from "~/features/jobs/use-table-keys";
import { comparing, toggle } from "~/ui/baseline";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { LiveMark } from "~/ui/live-mark";
import { PageButton, PageLink } from "~/ui/links";
import { Loading } from "~/ui/loading";
import { Page } from "~/ui/page";
import { number } from "~/ui/quantities";

const MOST_COMPARED = 6;
// Few ask for it: it is no part of the first load.
const KeySheet = lazy(async () => ({ default: (await import("~/features/jobs/key-sheet")).KeySheet }));

const route = getRouteApi("/signed-in/jobs");

export function JobsPage() {
  const { t } = useLingui();
  const link = useLiveJobs();
  const filter = useRef<HTMLInputElement>(null);
  return (
    <Page
      title={t`Jobs`}
      actions={
        <Group>
          <LiveMark state={link} />
          <PageButton to="/jobs/new">
            <Trans>New job</Trans>
          </PageButton>
        </Group>
      }
    >
      <MachineState />
      <DeletedJobs />
      <JobFilters field={filter} />
      <JobList onFilter={() => filter.current?.focus()} />
    </Page>
  );
}

function JobList({ onFilter }: { onFilter: () => void }) {
  const { t } = useLingui();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const jobs = useQuery(jobsQuery(search));
  const choice = useChoice();
  const [isHelp, { open, close }] = useDisclosure();
  useTableKeys({
    ids: jobs.data?.data.map((job) => job.id) ?? [],
    onSelect: choice.onToggle,
    onPin: toggle,
    onFilter,
    onHelp: open,
  });
  if (jobs.isPending) return <Loading height={240} />;
  return (
    <Stack>
      {jobs.error && (jobs.data === undefined || !jobs.error.isUnreachable) && <Failure error={jobs.error} />}
      {jobs.data && jobs.data.total === 0 && <NoJobs isFiltered={search.status !== undefined || search.q !== undefined || search.tag !== undefined} />}
      {jobs.data && jobs.data.total > 0 && (
        <>
          <Compare chosen={choice.chosen} onHelp={open} />
          <JobTable jobs={jobs.data.data} choice={choice} />
        </>
      )}
      {isHelp && (
        <Suspense>
          <KeySheet onClose={close} />
        </Suspense>
      )}
      {jobs.data && jobs.data.total > jobs.data.page_size && (
        <Pagination
          value={search.page ?? 1}
          total={Math.ceil(jobs.data.total / jobs.data.page_size)}
          onChange={(page) => void navigate({ search: { ...search, page } })}
          getControlProps={(control) => ({ "aria-label": control })}
          getItemProps={(page) => ({ "aria-label": t`Page ${page}` })}
        />
      )}
    </Stack>
  );
}

/** Over several pages, as many as a comparison shows. */
function useChoice(): Choice {
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const onToggle = (id: string) =>
    setChosen((known) => (known.includes(id) ? known.filter((each) => each !== id) : [...known, id].slice(-MOST_COMPARED)));
  return { chosen, onToggle };
}

function Compare({ chosen, onHelp }: { chosen: readonly string[]; onHelp: () => void }) {
  const comparison = comparing(chosen, useBaselineJob()?.id ?? null);
  const navigate = route.useNavigate();
  const { t } = useLingui();
  return (
    <Group gap="xs" justify="end">
      <Button
        size="compact-sm"
        variant="default"
        disabled={chosen.length === 0 || comparison.ids.length < 2}
        onClick={() => void navigate({ to: "/compare", search: comparison })}
      >
        <Trans>Compare the chosen</Trans>
      </Button>
      <Button size="compact-sm" variant="default" onClick={onHelp} aria-label={t`Keys`}>
        ?
      </Button>
    </Group>
  );
}

function NoJobs({ isFiltered }: { isFiltered: boolean }) {
  const { t } = useLingui();
  if (isFiltered) {
    return (
      <Empty title={t`No job matches`}>
        <Trans>Choose other states, or clear the search.</Trans>
      </Empty>
    );
  }
  return (
    <Empty title={t`No jobs yet`}>
      <PageLink to="/jobs/new">
        <Trans>Submit your first job</Trans>
      </PageLink>
    </Empty>
  );
}

/** How full the machine is. */
function MachineState() {
  const { data: queue } = useQuery(queueQuery);
  if (queue === undefined) return <Skeleton height={24} width="16rem" />;
  const { free, total } = queue.devices;
  return (
    <Group gap="lg">
      <Text size="sm" c="dimmed">
        <Trans>
          {number(free)} of {number(total)} devices free
        </Trans>
      </Text>
      <Text size="sm" c="dimmed">
        <Trans>
          {number(queue.active)} running, {number(queue.waiting)} waiting
        </Trans>
      </Text>
    </Group>
  );
}
