import { DirectionProvider, Slider, Text } from "@mantine/core";
import classes from "~/features/job/samples.module.css";
import { number } from "~/ui/quantities";

interface Props {
  name: string;
  steps: readonly number[];
  /** Which of the steps. */
  place: number;
  onChange: (place: number) => void;
}

/** Chooses one of the steps, by pointer or arrow keys; time runs from left to right in every language. */
export function StepSlider({ name, steps, place, onChange }: Props) {
  const shown = number(steps[Math.min(place, steps.length - 1)] ?? 0);
  return (
    <div className={classes.slider}>
      <Text size="sm">
        {name} <bdi dir="ltr">{shown}</bdi>
      </Text>
      <DirectionProvider initialDirection="ltr" detectDirection={false}>
        <div dir="ltr">
          <Slider
            value={place}
            onChange={onChange}
            min={0}
            max={steps.length - 1}
            marks={steps.map((_, value) => ({ value }))}
            label={null}
            classNames={{ thumb: classes.thumb }}
            thumbLabel={name}
            thumbProps={{ "aria-valuetext": shown }}
          />
        </div>
      </DirectionProvider>
    </div>
  );
}
