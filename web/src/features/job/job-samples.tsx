import { Trans, useLingui } from "@lingui/react/macro";
import { Stack, Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { JobOut, SampleOut } from "~/api/generated";
import { samplesQuery } from "~/features/job/queries";
import { seriesOf, stepsOf } from "~/features/job/sample-grid";
import classes from "~/features/job/samples.module.css";
import { SampleFigure } from "~/features/job/sample-figure";
import { StepSlider } from "~/features/job/step-slider";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";

export function JobSamples({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const samples = useQuery(samplesQuery(job.id));
  if (samples.error && samples.data === undefined) return <Failure error={samples.error} />;
  if (samples.data === undefined) return <Loading height={260} />;
  if (samples.data.length === 0) {
    return (
      <Empty title={t`No samples yet`}>
        <Trans>Pictures that the adapter draws are shown here as training goes on.</Trans>
      </Empty>
    );
  }
  return <Gallery samples={samples.data} />;
}

/** What the adapter drew at one step, or at two laid over each other. */
function Gallery({ samples }: { samples: SampleOut[] }) {
  const { t } = useLingui();
  const steps = stepsOf(samples);
  const newest = steps.length - 1;
  const [chosenPlace, setPlace] = useState<number | null>(null);
  const [earlierPlace, setEarlierPlace] = useState(0);
  const [areTwo, setTwo] = useState(false);
  const place = Math.min(chosenPlace ?? newest, newest);
  const step = steps[place] ?? 0;
  const earlier = areTwo ? (steps[Math.min(earlierPlace, newest)] ?? 0) : null;
  return (
    <Stack>
      {steps.length > 1 && (
        <div className={classes.controls}>
          {areTwo && <StepSlider name={t`Left: step`} steps={steps} place={earlierPlace} onChange={setEarlierPlace} />}
          <StepSlider name={areTwo ? t`Right: step` : t`Step`} steps={steps} place={place} onChange={setPlace} />
          <Switch label={t`Compare two steps`} checked={areTwo} onChange={(event) => setTwo(event.currentTarget.checked)} />
        </div>
      )}
      <div className={classes.gallery}>
        {seriesOf(samples).map((series) => (
          <SampleFigure
            key={series.key}
            series={series}
            sample={series.byStep.get(step)}
            earlier={earlier === null ? undefined : series.byStep.get(earlier)}
          />
        ))}
      </div>
    </Stack>
  );
}
