import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { NativeSelect, Stack, Table, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type WaitingJob, setJobPriority } from "~/api/generated";
import { PriorityBodySchema } from "~/api/generated/schemas.gen";
import { wholeQueueQuery } from "~/features/admin/queries";
import { Copyable } from "~/ui/copyable";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { JobId } from "~/ui/job-id";
import { Loading } from "~/ui/loading";
import { duration, number } from "~/ui/quantities";
import { Sheet } from "~/ui/sheet";
import { Spread } from "~/ui/wait-facts";

const SHOWN = 100;
const { minimum, maximum } = PriorityBodySchema.properties.priority;
const PRIORITIES = Array.from({ length: maximum - minimum + 1 }, (_, above) => minimum + above);

/** Everybody's waiting jobs, the one that starts first on top. */
export function WholeQueue() {
  const { t } = useLingui();
  const queue = useQuery(wholeQueueQuery);
  if (queue.error) return <Failure error={queue.error} />;
  if (queue.data === undefined) return <Loading height={160} />;
  const { jobs, active, devices } = queue.data;
  const hidden = jobs.length - SHOWN;
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        <Trans>
          {number(active)} running, {number(jobs.length)} waiting, {number(devices.free)} of {number(devices.total)} devices free
        </Trans>
      </Text>
      {jobs.length === 0 && <Empty title={t`Nobody waits`} />}
      {jobs.length > 0 && (
        <Sheet label={t`Queue of all`} columns={[t`Place`, t`Job`, t`Owner`, t`Waits for`, t`Starts in about`, t`Priority`]}>
          {jobs.slice(0, SHOWN).map((job) => (
            <WaitingRow key={job.job_id} job={job} />
          ))}
        </Sheet>
      )}
      {hidden > 0 && (
        <Text size="sm" c="dimmed">
          <Plural value={hidden} one="and # more" other="and # more" />
        </Text>
      )}
    </Stack>
  );
}

function WaitingRow({ job }: { job: WaitingJob }) {
  const { t } = useLingui();
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: async (priority: number) => setJobPriority({ path: { job_id: job.job_id }, body: { priority } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["admin"] }),
  });
  return (
    <Table.Tr data-waiting={job.job_id}>
      <Table.Td>{number(job.position)}</Table.Td>
      <Table.Td>
        <JobId id={job.job_id} />
      </Table.Td>
      <Table.Td>
        <Copyable value={job.user_id} />
      </Table.Td>
      <Table.Td>
        <bdi title={job.freed_by}>{job.explanation}</bdi>
      </Table.Td>
      <Table.Td>
        {job.eta_seconds === null ? "–" : duration(job.eta_seconds)} <Spread place={job} />
      </Table.Td>
      <Table.Td>
        <NativeSelect
          size="xs"
          aria-label={t`Priority of ${job.job_id}`}
          value={String(change.variables ?? job.priority)}
          disabled={change.isPending}
          onChange={(event) => change.mutate(Number(event.currentTarget.value))}
          data={PRIORITIES.map((priority) => ({ value: String(priority), label: number(priority) }))}
        />
        {change.error && <Failure error={change.error} />}
      </Table.Td>
    </Table.Tr>
  );
}
