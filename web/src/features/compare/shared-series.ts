import type { SampleOut } from "~/api/generated";
import { type SampleSeries, seriesOf } from "~/features/job/sample-grid";

export interface SharedSeries extends Pick<SampleSeries, "key" | "prompt" | "seed"> {
  /** The last picture of each job, in the order of the jobs; undefined where a job drew none. */
  newest: (SampleOut | undefined)[];
}

/** What two jobs or more drew of the same prompt from the same seed. */
export function sharedSeries(samplesOfJobs: readonly (readonly SampleOut[])[]): SharedSeries[] {
  const ofJobs = samplesOfJobs.map((samples) => new Map(seriesOf(samples).map((series) => [series.key, series])));
  const known = new Map(ofJobs.flatMap((series) => [...series]));
  return [...known.values()]
    .filter(({ prompt, seed }) => prompt !== null || seed !== null)
    .map(({ key, prompt, seed }) => ({ key, prompt, seed, newest: ofJobs.map((series) => newestOf(series.get(key))) }))
    .filter(({ newest }) => newest.filter((sample) => sample !== undefined).length > 1);
}

function newestOf(series: SampleSeries | undefined): SampleOut | undefined {
  return series?.byStep.get(Math.max(...series.byStep.keys()));
}
