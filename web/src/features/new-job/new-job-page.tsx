import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Fieldset, Group, NativeSelect, Stack, TagsInput, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { type ReactNode, type SubmitEvent, useState } from "react";
import { type JobOut, type TrainingType, submitJob } from "~/api/generated";
import { jobQuery } from "~/features/job/queries";
import { Changes } from "~/features/new-job/changes";
import { DatasetPicker } from "~/features/new-job/dataset-picker";
import { type Draft, usePlan, violations } from "~/features/new-job/draft";
import { draftFrom } from "~/features/new-job/from-job";
import { ModelPicker } from "~/features/new-job/model-picker";
import classes from "~/features/new-job/new-job.module.css";
import { OptionField } from "~/features/new-job/option-field";
import { MAIN, OPTIONS, type Option, startingFrom } from "~/features/new-job/options";
import { PlanPanel } from "~/features/new-job/plan-panel";
import { PresetPicker, usePreset } from "~/features/new-job/preset-picker";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { Page } from "~/ui/page";

const route = getRouteApi("/signed-in/jobs/new");

const BLANK: Draft = { dataset_id: "", type: "lora", base_model: "", config: {}, trigger_words: [] };

export function NewJobPage() {
  const { dataset = "", from } = route.useSearch();
  const source = useQuery({ ...jobQuery(from ?? ""), enabled: from !== undefined });
  if (from === undefined) return <NewJobForm start={{ ...BLANK, dataset_id: dataset }} />;
  if (source.data !== undefined) return <NewJobForm key={from} start={draftFrom(source.data)} source={source.data} />;
  return source.error ? <Failure error={source.error} /> : <Loading height={320} />;
}

function NewJobForm({ start, source }: { start: Draft; source?: JobOut }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(start);
  const change = (changes: Partial<Draft>) => setDraft((before) => ({ ...before, ...changes }));
  const isAsked = draft.dataset_id !== "" && draft.base_model !== "";
  const plan = usePlan(draft);
  const [accepted, setAccepted] = useState<readonly string[]>([]); // warnings, by their words: other figures are others
  const warnings = plan.data?.warnings ?? [];
  const submission = useMutation({
    mutationFn: async () => {
      const body = { ...draft, accepted_warnings: warnings.map((warning) => warning.code) };
      const answer = await submitJob({ body, headers: { Prefer: "respond-async" } });
      return "job_id" in answer.data ? answer.data.job_id : null;
    },
    onSuccess: (id) => void (id !== null && navigate({ to: "/jobs/$id", params: { id } })),
  });
  const isAccepted = warnings.every(({ message }) => accepted.includes(message));
  const faults = violations(submission.error ?? plan.error);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    submission.mutate();
  };
  return (
    <Page title={t`New job`}>
      <form onSubmit={submit} className={classes.page} noValidate>
        <Stack gap="lg">
          <DatasetPicker
            value={draft.dataset_id}
            error={faults["dataset_id"]}
            onChange={(id) => change({ dataset_id: id })}
          />
          <ModelPicker value={draft.base_model} error={faults["base_model"]} onChange={(id) => change({ base_model: id })} />
          <PresetPicker
            value={draft.preset ?? null}
            error={faults["preset"]}
            onChange={(preset) => change({ preset })}
          />
          <Subject draft={draft} faults={faults} onChange={change} />
          <Settings draft={draft} faults={faults} onChange={change} />
        </Stack>
        <Stack className={classes.plan}>
          {source && <Changes job={source} draft={draft} />}
          <PlanPanel
            plan={plan.data}
            error={plan.error}
            isAsked={isAsked}
            accepted={accepted}
            onAccept={setAccepted}
            onTake={(option, value) => change({ config: { ...draft.config, [option]: value } })}
          />
          {submission.error && <Failure error={submission.error} title={t`The job was not submitted`} />}
          <Button type="submit" size="md" disabled={!isAsked || !isAccepted} loading={submission.isPending}>
            <Trans>Submit the job</Trans>
          </Button>
        </Stack>
      </form>
    </Page>
  );
}

interface SectionProps {
  draft: Draft;
  faults: Record<string, string>;
  onChange: (changes: Partial<Draft>) => void;
}

function Subject({ draft, faults, onChange }: SectionProps) {
  const { t } = useLingui();
  return (
    <Stack>
      <Group grow align="start">
        <TextInput
          label={t`Name`}
          value={draft.name ?? ""}
          error={faults["name"]}
          onChange={(event) => onChange({ name: event.currentTarget.value || null })}
          dir="auto"
        />
        <NativeSelect
          label={t`Kind of training`}
          data={[
            { value: "lora", label: t`LoRA, on the captions` },
            { value: "dreambooth", label: t`DreamBooth, on the trigger words` },
          ]}
          value={draft.type}
          onChange={(event) => onChange({ type: event.currentTarget.value as TrainingType })}
        />
      </Group>
      <TagsInput
        label={t`Trigger words`}
        description={t`Words that will call up the subject. Press Enter after each.`}
        value={draft.trigger_words ?? []}
        error={faults["trigger_words"]}
        onChange={(words) => onChange({ trigger_words: words })}
        acceptValueOnBlur
        dir="auto"
      />
    </Stack>
  );
}

function Settings({ draft, faults, onChange }: SectionProps) {
  const preset = usePreset(draft.preset ?? null);
  const field = (option: Option): ReactNode => (
    <OptionField
      key={option.name}
      option={startingFrom(option, preset?.config)}
      value={draft.config[option.name]}
      error={faults[`config.${option.name}`]}
      onChange={(value) => {
        const others = Object.entries(draft.config).filter(([name]) => name !== option.name);
        onChange({ config: Object.fromEntries(value === undefined ? others : [...others, [option.name, value]]) });
      }}
    />
  );
  const main = MAIN.flatMap((name) => OPTIONS.filter((option) => option.name === name));
  const more = OPTIONS.filter((option) => !MAIN.includes(option.name));
  return (
    <Fieldset legend={<Trans>Settings</Trans>}>
      <div className={classes.options}>{main.map(field)}</div>
      <details open={more.some(({ name }) => faults[`config.${name}`] !== undefined) || undefined}>
        <summary>
          <Trans>More settings</Trans>
        </summary>
        <div className={classes.options}>{more.map(field)}</div>
      </details>
    </Fieldset>
  );
}
