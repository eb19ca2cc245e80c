import { Trans, useLingui } from "@lingui/react/macro";
import { Checkbox, Group, Progress, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Fragment } from "react";
import type { JobOut } from "~/api/generated";
import { curveQuery } from "~/features/jobs/queries";
import { useBaseline } from "~/ui/baseline";
import { CheckpointLink } from "~/ui/checkpoint-link";
import { FigureAtStep } from "~/ui/figure-at-step";
import { PageLink } from "~/ui/links";
import { jobName } from "~/ui/names";
import { duration, number, percent } from "~/ui/quantities";
import { RunColor } from "~/ui/run-color";
import { colorOf } from "~/ui/run-colors";
import { useSeen } from "~/ui/seen";
import { Sheet } from "~/ui/sheet";
import { Sparkline } from "~/ui/sparkline";
import { StatusBadge } from "~/ui/status-badge";
import { WaitFacts } from "~/ui/wait-facts";
import { When } from "~/ui/when";

/** Which jobs are chosen to be compared. */
export interface Choice {
  chosen: readonly string[];
  onToggle: (id: string) => void;
}

export function JobTable({ jobs, choice }: { jobs: JobOut[]; choice?: Choice }) {
  const { t } = useLingui();
  const columns = [t`Job`, t`State`, t`Progress`, t`Last loss`, t`Lowest loss`, t`Best validation`, t`Submitted`];
  return (
    <Sheet label={t`Jobs`} columns={choice ? [t`Compare`, ...columns] : columns} minWidth={480}>
      {jobs.map((job) => (
        <JobRow key={job.id} job={job} choice={choice} />
      ))}
    </Sheet>
  );
}

function JobRow({ job, choice }: { job: JobOut; choice: Choice | undefined }) {
  const { t } = useLingui();
  return (
    <Table.Tr data-job={job.id}>
      {choice && (
        <Table.Td>
          <Checkbox
            aria-label={t`Compare ${jobName(job)}`}
            checked={choice.chosen.includes(job.id)}
            onChange={() => choice.onToggle(job.id)}
          />
        </Table.Td>
      )}
      <Table.Td>
        <JobTitle job={job} />
      </Table.Td>
      <Table.Td>
        <StatusBadge status={job.status} />
      </Table.Td>
      <Table.Td>
        <JobProgress job={job} />
      </Table.Td>
      <Table.Td>
        <JobLoss job={job} />
      </Table.Td>
      <Table.Td>{job.best.loss === null ? "–" : <FigureAtStep {...job.best.loss} />}</Table.Td>
      <Table.Td>
        {job.best.val_loss === null ? "–" : <FigureAtStep {...job.best.val_loss} />}
        {job.best_checkpoint !== null && (
          <div>
            <CheckpointLink jobId={job.id} name={job.best_checkpoint} />
          </div>
        )}
      </Table.Td>
      <Table.Td>
        <When at={job.created_at} />
      </Table.Td>
    </Table.Tr>
  );
}

function JobTitle({ job }: { job: JobOut }) {
  const isPinned = useBaseline() === job.id;
  return (
    <>
      <Group gap="xs">
        <RunColor id={job.id} />
        <PageLink to="/jobs/$id" params={{ id: job.id }} fw={500}>
          <bdi>{jobName(job)}</bdi>
        </PageLink>
        {isPinned && (
          <Text span size="xs" c="dimmed">
            <Trans>baseline</Trans>
          </Text>
        )}
      </Group>
      <Text size="xs" c="dimmed">
        <bdi dir="ltr">{job.base_model}</bdi>
        {job.tags.map((tag) => (
          <Fragment key={tag}>
            {" · "}
            <PageLink to="/jobs" search={{ tag }} fz="xs">
              <bdi>{tag}</bdi>
            </PageLink>
          </Fragment>
        ))}
      </Text>
    </>
  );
}

function JobLoss({ job }: { job: JobOut }) {
  const { isSeen, place } = useSeen();
  const { data: metrics } = useQuery(curveQuery(job, isSeen));
  const { loss, step } = job.metrics;
  if (typeof loss !== "number") return "–";
  const curve = metrics?.filter((metric) => metric.attempt === job.attempt).map((metric) => metric.loss);
  return (
    <Group ref={place} gap="xs" wrap="nowrap">
      <Sparkline values={curve ?? []} color={colorOf(job.id)} />
      <Text size="sm">
        <FigureAtStep value={loss} step={typeof step === "number" ? step : null} />
      </Text>
    </Group>
  );
}

/** What it is doing, what it waits for, or why it ended. */
export function JobProgress({ job }: { job: JobOut }) {
  const { t } = useLingui();
  if (job.status === "queued" && job.queue) {
    return (
      <>
        <Text size="sm">
          {t`place ${number(job.queue.position)}`} · <bdi>{job.queue.explanation}</bdi>
        </Text>
        <WaitFacts place={job.queue} />
      </>
    );
  }
  if (job.error_message !== null) {
    return (
      <Text size="sm" lineClamp={2} dir="auto">
        {job.error_message}
      </Text>
    );
  }
  if (job.cancel_requested_at !== null && job.completed_at === null) {
    return (
      <Text size="sm">
        <Trans>
          stopping, asked for <When at={job.cancel_requested_at} />
        </Trans>
      </Text>
    );
  }
  if (job.status === "pending") return <Text size="sm">{t`Its container is being started.`}</Text>;
  return (
    <Group gap="0.125rem 0.5rem">
      <Progress value={job.progress} w={120} aria-label={t`Progress`} />
      <Text size="sm">{percent(job.progress)}</Text>
      <Text size="xs" c="dimmed">
        {job.status === "running" && job.eta_seconds !== null
          ? t`${duration(job.eta_seconds)} left`
          : t`${number(job.current_step)} steps`}
      </Text>
    </Group>
  );
}
