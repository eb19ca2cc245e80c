import { expect, test } from "vitest";
import { MAIN, OPTIONS, startingFrom } from "~/features/new-job/options";

const named = new Map(OPTIONS.map((option) => [option.name, option]));

test("the six main settings are the server's", () => {
  for (const name of MAIN) expect(named.get(name)).toMatchObject({ kind: "number" });
});

test("ranges, steps and defaults come from the schema", () => {
  expect(named.get("resolution")).toMatchObject({ minimum: 256, maximum: 1024, step: 64, fallback: 512 });
});

test("an option that may be off keeps its range", () => {
  expect(named.get("min_snr_gamma")).toMatchObject({ kind: "number", maximum: 20, fallback: null });
});

test("choices, switches and lists of texts are told apart", () => {
  expect(named.get("optimizer")).toMatchObject({ kind: "choice", choices: ["adamw", "adamw8bit", "prodigy"] });
  expect(named.get("horizontal_flip")?.kind).toBe("switch");
  expect(named.get("text_encoder_lora")).toMatchObject({ kind: "switch", fallback: false });
  expect(named.get("sample_prompts")?.kind).toBe("texts");
});

test("a preset's values stand in for the defaults of what it sets", () => {
  const steps = OPTIONS.filter((option) => option.name === "steps").map((option) => startingFrom(option, { steps: 300 }));
  expect(steps).toMatchObject([{ fallback: 300 }]);
  expect(OPTIONS.map((option) => startingFrom(option, {}))).toEqual(OPTIONS);
});
