import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { JobOut, MetricOut } from "~/api/generated";
import { JobActions } from "~/features/job/job-actions";
import { JobCharts } from "~/features/job/job-charts";
import { JobEnd } from "~/features/job/job-end";
import { JobFacts } from "~/features/job/job-facts";
import { JobFiles } from "~/features/job/job-files";
import { JobHistory } from "~/features/job/job-history";
import { JobLineage } from "~/features/job/job-lineage";
import { JobLog } from "~/features/job/job-log";
import { JobNotes } from "~/features/job/job-notes";
import { JobSamples } from "~/features/job/job-samples";
import { useLiveJob } from "~/features/job/live-job";
import { PhaseBar } from "~/features/job/phase-bar";
import { jobQuery } from "~/features/job/queries";
import { Saved } from "~/features/job/saved";
import { Stopping } from "~/features/job/stopping";
import { DeletedJobs } from "~/features/jobs/deleted-jobs";
import { AddressTabs } from "~/ui/address-tabs";
import { pin, useBaseline } from "~/ui/baseline";
import { BaselineButton } from "~/ui/baseline-button";
import { Copyable } from "~/ui/copyable";
import { Failure } from "~/ui/failure";
import { PageLink } from "~/ui/links";
import { LiveMark } from "~/ui/live-mark";
import { Loading } from "~/ui/loading";
import { jobName, shortId } from "~/ui/names";
import { Page } from "~/ui/page";
import { number } from "~/ui/quantities";
import { RunColor } from "~/ui/run-color";
import { StatusBadge } from "~/ui/status-badge";
import { WaitFacts } from "~/ui/wait-facts";
import { When } from "~/ui/when";

const route = getRouteApi("/signed-in/jobs/$id");

export function JobPage() {
  const { id } = route.useParams();
  const job = useQuery(jobQuery(id));
  const pinned = useBaseline();
  const { link, tail } = useLiveJob(id, job.data);
  if (job.data === undefined) {
    if (job.error === null) return <Loading height={320} />;
    return (
      <>
        <DeletedJobs only={id} />
        <Failure error={job.error} />
      </>
    );
  }
  return (
    <Page title={jobName(job.data)} actions={<JobActions job={job.data} />}>
      {job.error && !job.error.isUnreachable && <Failure error={job.error} />}
      <Group gap="md">
        <RunColor id={id} />
        <StatusBadge status={job.data.status} />
        <Text size="sm" c="dimmed">
          <bdi dir="ltr">{job.data.base_model}</bdi>
        </Text>
        <Text size="sm" c="dimmed">
          <Trans>
            submitted <When at={job.data.created_at} />
          </Trans>
        </Text>
        {job.data.continues && (
          <Text size="sm" c="dimmed">
            <Trans>
              goes on from{" "}
              <PageLink to="/jobs/$id" params={{ id: job.data.continues.job_id }}>
                <bdi dir="ltr">{shortId(job.data.continues.job_id)}</bdi>
              </PageLink>{" "}
              after step {number(job.data.continues.step)}
            </Trans>
          </Text>
        )}
        <Copyable value={id} shown={shortId(id)} />
        <BaselineButton id={id} name={jobName(job.data)} pinned={pinned} onPin={pin} />
        {job.data.completed_at === null && <LiveMark state={link} />}
      </Group>
      <JobNotes key={id} job={job.data} />
      <JobState job={job.data} />
      <JobTabs job={job.data} tail={tail} />
    </Page>
  );
}

/** What it waits for, what it does, or why it ended and what may be done. */
function JobState({ job }: { job: JobOut }) {
  const { t } = useLingui();
  // One that is tried again waits too, and has a message of its last attempt.
  if (job.queue !== null) {
    return (
      <Alert color="gray" title={t`Waiting, at place ${number(job.queue.position)}`}>
        <Text size="sm">
          <bdi>{job.queue.explanation}</bdi>
        </Text>
        <WaitFacts place={job.queue} />
      </Alert>
    );
  }
  if (job.error_message !== null) return <JobEnd job={job} />;
  return (
    <>
      <Stopping job={job} />
      <Saved job={job} />
      <PhaseBar job={job} />
    </>
  );
}

function JobTabs({ job, tail }: { job: JobOut; tail: readonly MetricOut[] }) {
  const { t } = useLingui();
  const { tab = "charts" } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <AddressTabs
      chosen={tab}
      onChoose={(chosen) => void navigate({ search: (before) => ({ ...before, tab: chosen }), replace: true, resetScroll: false })}
      tabs={{
        charts: { label: t`Charts`, panel: <JobCharts job={job} tail={tail} /> },
        samples: { label: t`Samples`, panel: <JobSamples job={job} /> },
        log: { label: t`Log`, panel: <JobLog job={job} /> },
        files: { label: t`Files`, panel: <JobFiles job={job} /> },
        history: { label: t`History`, panel: <JobHistory job={job} /> },
        lineage: { label: t`Lineage`, panel: <JobLineage job={job} /> },
        settings: { label: t`Settings`, panel: <JobFacts job={job} /> },
      }}
    />
  );
}
