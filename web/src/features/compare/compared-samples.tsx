import { Trans } from "@lingui/react/macro";
import { Stack, Text, Title } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { Fragment } from "react";
import type { ComparedJob, SampleOut } from "~/api/generated";
import classes from "~/features/compare/compare.module.css";
import { nameOf } from "~/features/compare/names";
import { sharedSeries } from "~/features/compare/shared-series";
import { samplesQuery } from "~/features/job/queries";
import { Picture } from "~/ui/picture";
import { number } from "~/ui/quantities";
import { RunColor } from "~/ui/run-color";
import { type RunLook, looksOf } from "~/ui/run-colors";

/** The last picture that each job drew of the same prompt from the same seed. */
export function ComparedSamples({ jobs }: { jobs: readonly ComparedJob[] }) {
  const samples = useQueries({ queries: jobs.map((job) => samplesQuery(job.job_id)) });
  const looks = looksOf(jobs.map((job) => job.job_id));
  const rows = sharedSeries(samples.map((each) => each.data ?? []));
  if (samples.some((each) => each.isPending)) return null;
  return (
    <Stack gap="sm">
      <Title order={2} size="h5">
        <Trans>Samples of the same prompt and seed</Trans>
      </Title>
      {rows.length === 0 && (
        <Text size="sm" c="dimmed">
          <Trans>These jobs drew no picture of the same prompt from the same seed.</Trans>
        </Text>
      )}
      {rows.map(({ key, prompt, seed, newest }) => (
        <Fragment key={key}>
          <Text size="sm">
            <bdi>{prompt}</bdi>{" "}
            <Text span size="xs" c="dimmed">
              <Trans>
                seed <bdi dir="ltr">{seed}</bdi>
              </Trans>
            </Text>
          </Text>
          <div className={classes.row}>
            {jobs.map((job, index) => (
              <Sample key={job.job_id} job={job} look={looks[index]} sample={newest[index]} />
            ))}
          </div>
        </Fragment>
      ))}
    </Stack>
  );
}

function Sample({ job, look, sample }: { job: ComparedJob; look: RunLook | undefined; sample: SampleOut | undefined }) {
  const name = nameOf(job);
  return (
    <figure className={classes.figure}>
      {sample ? <Picture url={sample.thumbnail_url} alt={`${name}: ${sample.prompt ?? sample.name}`} /> : <div className={classes.none} />}
      <Text component="figcaption" size="xs">
        <RunColor id={job.job_id} look={look} /> <bdi>{name}</bdi>
        {sample?.step != null && (
          <>
            {" · "}
            <Trans>step {number(sample.step)}</Trans>
          </>
        )}
      </Text>
    </figure>
  );
}
