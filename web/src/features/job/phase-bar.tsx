import { msg } from "@lingui/core/macro";
import { useLingui } from "@lingui/react/macro";
import { Group, Progress, Stack, Text } from "@mantine/core";
import type { JobOut } from "~/api/generated";
import classes from "~/features/job/job.module.css";
import { duration, number, percent } from "~/ui/quantities";

const PHASES = [
  ["load", msg`load`],
  ["preprocess", msg`prepare`],
  ["train", msg`train`],
  ["evaluate", msg`evaluate`],
  ["register", msg`register`],
] as const;

/** How far the server says the job is. */
export function PhaseBar({ job }: { job: JobOut }) {
  const { t } = useLingui();
  return (
    <Stack gap="xs">
      <Progress value={job.progress} size="lg" aria-label={t`Progress`} />
      <Group justify="space-between">
        <ol className={classes.phases}>
          {PHASES.map(([phase, label]) => (
            <li key={phase} aria-current={phase === job.phase ? "step" : undefined}>
              {t(label)}
            </li>
          ))}
        </ol>
        <Text size="sm">
          {percent(job.progress)} · {t`step ${number(job.current_step)} of ${number(job.total_steps)}`}
          {job.eta_seconds !== null && ` · ${t`${duration(job.eta_seconds)} left`}`}
        </Text>
      </Group>
    </Stack>
  );
}
