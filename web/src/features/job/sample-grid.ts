/** Sample pictures by what they show and when they were drawn. */
import type { SampleOut } from "~/api/generated";

/** The same prompt from the same noise, as training went on. */
export interface SampleSeries {
  key: string;
  prompt: string | null;
  seed: number | null;
  byStep: ReadonlyMap<number, SampleOut>;
}

/** A picture without a known step stands before the first. */
const UNKNOWN_STEP = -1;

export function stepsOf(samples: readonly SampleOut[]): number[] {
  return [...new Set(samples.map(stepOf))].sort((a, b) => a - b);
}

/** In order of appearance. Of two attempts at a step the later one counts, as it does for what was trained. */
export function seriesOf(samples: readonly SampleOut[]): SampleSeries[] {
  const found = new Map<string, SampleSeries & { byStep: Map<number, SampleOut> }>();
  for (const sample of samples) {
    const key = seriesKey(sample);
    const series = found.get(key) ?? { key, prompt: sample.prompt, seed: sample.seed, byStep: new Map<number, SampleOut>() };
    series.byStep.set(stepOf(sample), sample);
    found.set(key, series);
  }
  return [...found.values()];
}

function stepOf(sample: SampleOut): number {
  return sample.step ?? UNKNOWN_STEP;
}

/** Where neither is known, a picture is of no series but its own. */
function seriesKey({ prompt, seed, name }: SampleOut): string {
  return JSON.stringify(prompt === null && seed === null ? name : [prompt, seed]);
}

/** Where a chosen step stands among those there are; `otherwise` where none was chosen or it is gone. */
export function placeOf(steps: readonly number[], chosen: number | undefined, otherwise: number): number {
  const place = steps.findIndex((step) => step === chosen);
  return place < 0 ? otherwise : place;
}
