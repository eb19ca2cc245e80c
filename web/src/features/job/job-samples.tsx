import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Radio, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { JobOut, SampleOut } from "~/api/generated";
import { samplesQuery } from "~/features/job/queries";
import { SampleFigure } from "~/features/job/sample-figure";
import { placeOf, seriesOf, stepsOf } from "~/features/job/sample-grid";
import { SampleTable } from "~/features/job/sample-table";
import classes from "~/features/job/samples.module.css";
import { SampleWeights } from "~/features/job/sample-weights";
import { StepSlider } from "~/features/job/step-slider";
import { useArrowKeys } from "~/features/job/use-arrow-keys";
import type { SampleChoice } from "~/features/job/tabs";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";

const route = getRouteApi("/signed-in/jobs/$id");

export function JobSamples({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const samples = useQuery(samplesQuery(job.id));
  if (samples.error && samples.data === undefined) return <Failure error={samples.error} />;
  if (samples.data === undefined) return <Loading height={260} />;
  if (samples.data.length === 0) {
    return job.completed_at === null ? (
      <Empty title={t`No samples yet`}>
        <Trans>Pictures that the adapter draws are shown here as training goes on.</Trans>
      </Empty>
    ) : (
      <Empty title={t`No samples`}>
        <Trans>It ended before it drew any.</Trans>
      </Empty>
    );
  }
  return <Gallery job={job} samples={samples.data} />;
}

/** What the adapter drew. What of it is shown stands in the page's address, so that it can be linked to. */
function Gallery({ job, samples }: { job: JobOut; samples: SampleOut[] }) {
  const { t } = useLingui();
  const choice = route.useSearch();
  const navigate = route.useNavigate();
  const choose = (changes: SampleChoice) =>
    void navigate({ search: (before) => ({ ...before, ...changes }), replace: true, resetScroll: false });
  const steps = stepsOf(samples);
  const view = choice.view ?? "one";
  return (
    <Stack>
      {steps.length > 1 && (
        <Radio.Group value={view} onChange={(name) => choose({ view: name })} aria-label={t`Samples`}>
          <Group>
            <Radio value="one" label={t`One step`} />
            <Radio value="two" label={t`Compare two steps`} />
            <Radio value="all" label={t`All steps`} />
          </Group>
        </Radio.Group>
      )}
      {view === "all" ? (
        <SampleTable samples={samples} onChoose={(step) => choose({ view: "one", step })} />
      ) : (
        <ChosenSteps job={job} samples={samples} steps={steps} areTwo={view === "two"} choice={choice} onChoose={choose} />
      )}
    </Stack>
  );
}

interface ChosenStepsProps {
  job: JobOut;
  samples: SampleOut[];
  steps: number[];
  areTwo: boolean;
  choice: SampleChoice;
  onChoose: (changes: SampleChoice) => void;
}

function ChosenSteps({ job, samples, steps, areTwo, choice, onChoose }: ChosenStepsProps) {
  const { t } = useLingui();
  const stepAt = (place: number) => steps[place] ?? 0;
  const place = placeOf(steps, choice.step, steps.length - 1);
  const earlierPlace = placeOf(steps, choice.earlier, 0);
  useArrowKeys((by) => {
    const next = place + by;
    if (next >= 0 && next < steps.length) onChoose({ step: stepAt(next) });
  });
  return (
    <>
      {steps.length > 1 && (
        <div className={classes.controls}>
          {areTwo && (
            <StepSlider
              name={t`Left: step`}
              steps={steps}
              place={earlierPlace}
              onChange={(chosen) => onChoose({ earlier: stepAt(chosen) })}
            />
          )}
          <StepSlider
            name={areTwo ? t`Right: step` : t`Step`}
            steps={steps}
            place={place}
            onChange={(chosen) => onChoose({ step: stepAt(chosen) })}
          />
        </div>
      )}
      <SampleWeights job={job} samples={samples.filter((sample) => sample.step === stepAt(place))} />
      <div className={classes.gallery}>
        {seriesOf(samples).map((series) => (
          <SampleFigure
            key={series.key}
            series={series}
            sample={series.byStep.get(stepAt(place))}
            earlier={areTwo ? series.byStep.get(stepAt(earlierPlace)) : undefined}
          />
        ))}
      </div>
    </>
  );
}
