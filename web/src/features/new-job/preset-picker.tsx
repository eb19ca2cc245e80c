import { useLingui } from "@lingui/react/macro";
import { Group, Radio, Text } from "@mantine/core";
import { queryOptions, useQuery } from "@tanstack/react-query";
import { type PresetOut, listPresets } from "~/api/generated";
import classes from "~/features/new-job/new-job.module.css";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";

const NONE = "";

const presetsQuery = queryOptions({
  queryKey: ["presets"],
  queryFn: async ({ signal }) => (await listPresets({ signal })).data.data,
  staleTime: Infinity,
});

export function usePreset(name: string | null): PresetOut | undefined {
  return useQuery(presetsQuery).data?.find((preset) => preset.name === name);
}

interface Props {
  value: string | null;
  error: string | undefined;
  onChange: (name: string | null) => void;
}

/** Sets of settings to start from; what is set below wins over them. */
export function PresetPicker({ value, error, onChange }: Props) {
  const { t } = useLingui();
  const presets = useQuery(presetsQuery);
  if (presets.error) return <Failure error={presets.error} />;
  if (presets.data === undefined) return <Loading height={100} />;
  return (
    <Radio.Group
      label={t`Start from`}
      value={value ?? NONE}
      error={error}
      onChange={(name) => onChange(name === NONE ? null : name)}
    >
      <div className={classes.cards}>
        <PresetCard name={NONE} title={t`Defaults`} description={t`What suits most subjects.`} />
        {presets.data.map((preset) => (
          <PresetCard key={preset.name} {...preset} />
        ))}
      </div>
    </Radio.Group>
  );
}

function PresetCard({ name, title, description }: Omit<PresetOut, "config">) {
  return (
    <Radio.Card value={name} p="sm" className={classes.card} aria-label={title}>
      <Group gap="xs" wrap="nowrap" align="start">
        <Radio.Indicator />
        <div>
          <Text fw={500}>{title}</Text>
          <Text size="xs" c="dimmed">
            <bdi>{description}</bdi>
          </Text>
        </div>
      </Group>
    </Radio.Card>
  );
}
