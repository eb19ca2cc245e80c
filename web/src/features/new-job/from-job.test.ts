import { expect, test } from "vitest";
import type { JobOut } from "~/api/generated";
import { changesSince, draftFrom } from "~/features/new-job/from-job";
import { OPTIONS } from "~/features/new-job/options";

const defaults = Object.fromEntries(OPTIONS.map(({ name, fallback }) => [name, fallback]));
const job = {
  dataset_id: "cats",
  type: "lora",
  base_model: "lorry/tiny-sd15",
  name: "first",
  trigger_words: ["sks cat"],
  config: { ...defaults, steps: 300, sample_prompts: ["a cat"] },
} as unknown as JobOut;

test("a draft from a job asks for what the job was asked for, and leaves defaults alone", () => {
  const draft = draftFrom(job);
  expect(draft).toMatchObject({ dataset_id: "cats", base_model: "lorry/tiny-sd15", name: "first", trigger_words: ["sks cat"] });
  expect(draft.config).toEqual({ steps: 300, sample_prompts: ["a cat"] });
  expect(changesSince(job, draft, undefined)).toEqual([]);
});

test("what was changed is told with what it was, also where a default comes back", () => {
  const draft = { ...draftFrom(job), dataset_id: "dogs", config: { sample_prompts: ["a cat"], lora_rank: 4 } };
  expect(changesSince(job, draft, undefined)).toEqual([
    { name: "dataset_id", before: "cats", now: "dogs" },
    { name: "steps", before: 300, now: 1000 },
    { name: "lora_rank", before: 16, now: 4 },
  ]);
});

test("a preset changes what is left to it", () => {
  const preset = { name: "x", title: "X", description: "", config: { lora_rank: 8, steps: 500 } };
  expect(changesSince(job, draftFrom(job), preset)).toEqual([{ name: "lora_rank", before: 16, now: 8 }]);
});
