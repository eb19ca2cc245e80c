import { useLingui } from "@lingui/react/macro";
import { Badge, Group, Radio, Text } from "@mantine/core";
import { queryOptions, useQuery } from "@tanstack/react-query";
import { type ModelOut, listModels } from "~/api/generated";
import classes from "~/features/new-job/new-job.module.css";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";

export const modelsQuery = queryOptions({
  queryKey: ["models"],
  queryFn: async ({ signal }) => (await listModels({ signal })).data.data,
});

interface Props {
  value: string;
  error: string | undefined;
  onChange: (id: string) => void;
}

export function ModelPicker({ value, error, onChange }: Props) {
  const { t } = useLingui();
  const models = useQuery(modelsQuery);
  if (models.error) return <Failure error={models.error} />;
  if (models.data === undefined) return <Loading height={100} />;
  return (
    <Radio.Group label={t`Base model`} value={value} onChange={onChange} error={error}>
      <div className={classes.cards}>
        {models.data.map((model) => (
          <ModelCard key={model.id} model={model} />
        ))}
      </div>
    </Radio.Group>
  );
}

function ModelCard({ model }: { model: ModelOut }) {
  return (
    <Radio.Card value={model.id} p="sm" className={classes.card} aria-label={model.id}>
      <Group gap="xs" wrap="nowrap" align="start">
        <Radio.Indicator />
        <div>
          <Text fw={500}>
            <bdi dir="ltr">{model.id}</bdi>
          </Text>
          <Text size="xs" c="dimmed" dir="auto">
            {model.description}
          </Text>
          <Group gap={6} mt={6}>
            <ModelReadiness model={model} />
            <ModelBadges model={model} />
          </Group>
        </div>
      </Group>
    </Radio.Card>
  );
}

/** Its licence, its size and the memory it needs. */
export function ModelBadges({ model }: { model: ModelOut }) {
  const { t } = useLingui();
  const memory = model.memory === null ? null : t`needs ${model.memory} of memory`;
  return [model.licence, model.size, memory].map(
    (fact) =>
      fact !== null && (
        <Badge key={fact} variant="default" tt="none" fw={400}>
          {fact}
        </Badge>
      ),
  );
}

export function ModelReadiness({ model }: { model: ModelOut }) {
  const { t } = useLingui();
  const absent = model.fetchable ? t`will be downloaded` : t`not here`;
  const looks = {
    ready: { color: "green", label: t`ready` },
    downloading: { color: "violet", label: t`being downloaded` },
    error: { color: "orange", label: model.message === null ? absent : t`its download failed` },
  };
  const look = looks[model.status];
  return (
    <Badge variant="dot" color={look.color} tt="none" fw={500} data-status={model.status}>
      {look.label}
    </Badge>
  );
}
