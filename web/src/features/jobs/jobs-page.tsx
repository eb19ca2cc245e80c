import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Pagination, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { JobFilters } from "~/features/jobs/job-filters";
import { JobTable } from "~/features/jobs/job-table";
import { useLiveJobs } from "~/features/jobs/live-jobs";
import { jobsQuery, queueQuery } from "~/features/jobs/queries";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { LiveMark } from "~/ui/live-mark";
import { PageButton, PageLink } from "~/ui/links";
import { Loading } from "~/ui/loading";
import { Page } from "~/ui/page";
import { number } from "~/ui/quantities";

const route = getRouteApi("/signed-in/jobs");

export function JobsPage() {
  const { t } = useLingui();
  const link = useLiveJobs();
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
      <JobFilters />
      <JobList />
    </Page>
  );
}

function JobList() {
  const { t } = useLingui();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const jobs = useQuery(jobsQuery(search));
  if (jobs.isPending) return <Loading height={240} />;
  return (
    <Stack>
      {jobs.error && (jobs.data === undefined || !jobs.error.isUnreachable) && <Failure error={jobs.error} />}
      {jobs.data && jobs.data.total === 0 && <NoJobs isFiltered={search.status !== undefined || search.q !== undefined} />}
      {jobs.data && jobs.data.total > 0 && <JobTable jobs={jobs.data.data} />}
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
