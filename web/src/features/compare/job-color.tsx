import type { ComparedJob } from "~/api/generated";
import classes from "~/features/compare/compare.module.css";
import { jobName } from "~/ui/names";

const COLORS = ["#228be6", "#f76707", "#40a847", "#be4bdb", "#e03131", "#868e96"];

/** Of the job at that place of the comparison, on everything that shows it. */
export function colorOf(place: number): string {
  return COLORS[place % COLORS.length] ?? "#228be6";
}

export function nameOf(job: ComparedJob): string {
  return jobName({ id: job.job_id, name: job.name });
}

export function JobColor({ place }: { place: number }) {
  return (
    <svg className={classes.color} width={10} height={10} aria-hidden="true">
      <circle cx={5} cy={5} r={5} fill={colorOf(place)} />
    </svg>
  );
}
