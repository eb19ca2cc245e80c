/** A form that starts from a job, and what it has different by now. */
import type { JobOut, PresetOut } from "~/api/generated";
import type { Draft } from "~/features/new-job/draft";
import { OPTIONS, type OptionValue, startingFrom } from "~/features/new-job/options";

const SUBJECT = ["dataset_id", "base_model", "type", "trigger_words"] as const;

/** What would submit the job again; options that have their default are left to it, so that a preset may set them. */
export function draftFrom(job: JobOut): Draft {
  const chosen = OPTIONS.map(({ name, fallback }) => [name, fallback, job.config[name]] as const).filter(
    ([, fallback, value]) => value !== undefined && !isSame(value, fallback),
  );
  return {
    dataset_id: job.dataset_id,
    type: job.type,
    base_model: job.base_model,
    config: Object.fromEntries(chosen.map(([name, , value]) => [name, value])),
    name: job.name,
    trigger_words: job.trigger_words,
    gpus: job.gpus,
    experiment_id: job.experiment_id,
    max_runtime_seconds: job.max_runtime_seconds,
  };
}

export interface Change {
  name: string;
  before: unknown;
  now: unknown;
}

export function changesSince(job: JobOut, draft: Draft, preset: PresetOut | undefined): Change[] {
  const subject = SUBJECT.map((name) => ({ name, before: job[name], now: draft[name] }));
  const settings = OPTIONS.map((option) => ({
    name: option.name,
    before: job.config[option.name],
    now: (draft.config[option.name] as OptionValue | undefined) ?? startingFrom(option, preset?.config).fallback,
  }));
  return [...subject, ...settings].filter(({ before, now }) => before !== undefined && !isSame(before, now));
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
