import { Trans, useLingui } from "@lingui/react/macro";
import { Text, UnstyledButton } from "@mantine/core";
import type { SampleOut } from "~/api/generated";
import { seriesOf, stepsOf } from "~/features/job/sample-grid";
import classes from "~/features/job/samples.module.css";
import { Picture } from "~/ui/picture";
import { number } from "~/ui/quantities";

const SIZE = 144;

/** A row for each prompt and seed, a column for each step; time runs from left to right in every language. */
export function SampleTable({ samples, onChoose }: { samples: SampleOut[]; onChoose: (step: number) => void }) {
  const { t } = useLingui();
  const steps = stepsOf(samples);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard
    <div className={classes.scroll} dir="ltr" role="region" aria-label={t`All steps`} tabIndex={0}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">
              <Trans>Prompt</Trans>
            </th>
            {steps.map((step) => (
              <th key={step} scope="col">
                <Trans>step {number(step)}</Trans>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {seriesOf(samples).map(({ key, prompt, seed, byStep }) => (
            <tr key={key}>
              <th scope="row">
                <Text size="sm" dir="auto" lineClamp={4} title={prompt ?? undefined}>
                  {prompt ?? "–"}
                </Text>
                {seed !== null && (
                  <Text size="xs" c="dimmed">
                    <Trans>
                      seed <bdi dir="ltr">{seed}</bdi>
                    </Trans>
                  </Text>
                )}
              </th>
              {steps.map((step) => (
                <td key={step}>
                  <Cell sample={byStep.get(step)} onChoose={() => onChoose(step)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A picture that leads to its step in full size. */
function Cell({ sample, onChoose }: { sample: SampleOut | undefined; onChoose: () => void }) {
  const { t } = useLingui();
  if (sample === undefined) return <div className={classes.missing} style={{ width: SIZE }} />;
  return (
    <UnstyledButton onClick={onChoose}>
      <Picture url={sample.thumbnail_url} alt={t`Sample of step ${number(sample.step ?? 0)}: ${sample.prompt ?? sample.name}`} size={SIZE} />
    </UnstyledButton>
  );
}
