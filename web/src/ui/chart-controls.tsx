import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, SegmentedControl, Switch, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Axis, ChartView, Smoothing } from "~/ui/chart-view";

interface Props {
  view: ChartView;
  onChange: (change: Partial<ChartView>) => void;
  children?: ReactNode;
}

/** What all charts of a page have in common, each a click away. */
export function ChartControls({ view, onChange, children }: Props) {
  const { t } = useLingui();
  return (
    <Group gap="md" role="group" aria-label={t`Charts`}>
      <Choice<Axis>
        name={t`Over`}
        chosen={view.x}
        onChoose={(x) => onChange({ x })}
        words={{ step: t`steps`, elapsed: t`elapsed time`, clock: t`clock time` }}
      />
      <Choice<Smoothing>
        name={t`Smoothing`}
        chosen={view.smooth}
        onChoose={(smooth) => onChange({ smooth })}
        words={{ off: t`off`, light: t`light`, strong: t`strong` }}
      />
      <Switch size="xs" label={t`Log scale`} checked={view.log} onChange={(event) => onChange({ log: event.currentTarget.checked })} />
      {view.zoom !== null && (
        <Button size="compact-xs" variant="default" onClick={() => onChange({ zoom: null })}>
          <Trans>Show all of it</Trans>
        </Button>
      )}
      {children}
    </Group>
  );
}

interface ChoiceProps<Name extends string> {
  name: string;
  chosen: Name;
  onChoose: (name: Name) => void;
  words: Record<Name, string>;
}

function Choice<Name extends string>({ name, chosen, onChoose, words }: ChoiceProps<Name>) {
  const data = (Object.entries(words) as [Name, string][]).map(([value, label]) => ({ value, label }));
  return (
    <Group gap="xs">
      <Text size="xs" c="dimmed" aria-hidden>
        {name}
      </Text>
      <SegmentedControl<Name> size="xs" aria-label={name} value={chosen} onChange={onChoose} data={data} />
    </Group>
  );
}
