/** The settings of a job as the server's own schema describes them: no range and no default is written here. */
import type { TrainingOptions } from "~/api/generated";
import { TrainingOptionsSchema } from "~/api/generated/schemas.gen";

export type OptionName = keyof TrainingOptions;
export type OptionValue = number | string | boolean | readonly string[] | null;

export interface Option {
  name: OptionName;
  kind: "number" | "choice" | "switch" | "text" | "texts";
  description: string;
  fallback: OptionValue;
  minimum?: number;
  maximum?: number;
  step?: number;
  choices: string[];
}

interface Schema {
  type?: string;
  description?: string;
  default?: OptionValue;
  minimum?: number;
  maximum?: number;
  multipleOf?: number;
  enum?: readonly string[];
  anyOf?: readonly Schema[];
}

/** What decides most about a result comes first; the rest is folded away. */
export const MAIN: readonly OptionName[] = [
  "steps",
  "learning_rate",
  "resolution",
  "lora_rank",
  "lora_alpha",
  "batch_size",
];

const KINDS: Record<string, Option["kind"]> = {
  number: "number",
  integer: "number",
  boolean: "switch",
  array: "texts",
  string: "text",
};

export const OPTIONS: Option[] = Object.entries(TrainingOptionsSchema.properties as Record<string, Schema>).map(
  ([name, schema]) => toOption(name as OptionName, schema),
);

function toOption(name: OptionName, schema: Schema): Option {
  const bounds = schema.anyOf?.find((each) => each.type !== "null") ?? schema;
  const step = bounds.multipleOf ?? (bounds.type === "integer" ? 1 : undefined);
  return {
    name,
    kind: bounds.enum ? "choice" : (KINDS[bounds.type ?? ""] ?? "text"),
    description: schema.description ?? "",
    fallback: schema.default ?? null,
    ...(bounds.minimum !== undefined && { minimum: bounds.minimum }),
    ...(bounds.maximum !== undefined && { maximum: bounds.maximum }),
    ...(step !== undefined && { step }),
    choices: [...(bounds.enum ?? [])],
  };
}

/** The option as it stands where nothing else is chosen under a preset. */
export function startingFrom(option: Option, preset: Readonly<Record<string, unknown>> | undefined): Option {
  const value = preset?.[option.name];
  return value === undefined ? option : { ...option, fallback: value as OptionValue };
}
