import { useLingui } from "@lingui/react";
import { NativeSelect, NumberInput, Switch, TagsInput, TextInput } from "@mantine/core";
import { OPTION_TEXTS } from "~/features/new-job/option-texts";
import { figure } from "~/ui/quantities";
import type { Option, OptionValue } from "~/features/new-job/options";

interface Props {
  option: Option;
  value: OptionValue | undefined;
  error: string | undefined;
  onChange: (value: OptionValue | undefined) => void;
}

/** One setting; left alone it keeps the server's default. */
export function OptionField({ option, value, error, onChange }: Props) {
  const { i18n } = useLingui();
  const shown = value === undefined ? option.fallback : value;
  const { description } = option;
  const look = {
    label: <bdi dir="ltr">{option.name}</bdi>,
    description: (
      <>
        {i18n._(OPTION_TEXTS[option.name].id, { description })} <bdi dir="ltr">{range(option)}</bdi>
      </>
    ),
    error,
  };
  switch (option.kind) {
    case "number":
      return (
        <NumberInput
          {...look}
          value={typeof shown === "number" ? shown : ""}
          onChange={(typed) => onChange(typed === "" ? undefined : typed)}
          {...(option.minimum !== undefined && { min: option.minimum })}
          {...(option.maximum !== undefined && { max: option.maximum })}
          {...(option.step !== undefined && { step: option.step })}
          allowDecimal={option.step === undefined}
          clampBehavior="none"
        />
      );
    case "choice":
      return (
        <NativeSelect
          {...look}
          data={option.choices}
          value={String(shown)}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case "switch":
      return <Switch {...look} checked={shown === true} onChange={(event) => onChange(event.currentTarget.checked)} />;
    case "texts":
      return <TagsInput {...look} value={typeof shown === "object" && shown !== null ? [...shown] : []} onChange={onChange} splitChars={[]} dir="auto" />;
    case "text":
      return (
        <TextInput
          {...look}
          value={typeof shown === "string" ? shown : ""}
          onChange={(event) => onChange(event.currentTarget.value || undefined)}
          dir="auto"
        />
      );
  }
}

function range({ minimum, maximum }: Option): string {
  return minimum === undefined || maximum === undefined ? "" : `${figure(minimum)} – ${figure(maximum)}.`;
}
