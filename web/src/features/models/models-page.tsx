import { useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Progress, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ModelOut, startDownload } from "~/api/generated";
import classes from "~/features/new-job/new-job.module.css";
import { ModelBadges, ModelReadiness, modelsQuery } from "~/features/new-job/model-picker";
import { RegisteredModels } from "~/features/models/registered-models";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { Page } from "~/ui/page";
import { percent } from "~/ui/quantities";

const POLL_MS = 1_000;

export function ModelsPage() {
  const { t } = useLingui();
  const models = useQuery({
    ...modelsQuery,
    refetchInterval: ({ state }) => (state.data?.some((model) => model.status === "downloading") ? POLL_MS : false),
  });
  return (
    <Page title={t`Models`}>
      {models.error && <Failure error={models.error} onRetry={() => void models.refetch()} />}
      {models.isPending && <Loading height={240} />}
      <div className={classes.cards}>
        {models.data?.map((model) => (
          <ModelCard key={model.id} model={model} />
        ))}
      </div>
      <RegisteredModels />
    </Page>
  );
}

function ModelCard({ model }: { model: ModelOut }) {
  const { t } = useLingui();
  const queries = useQueryClient();
  const download = useMutation({
    mutationFn: async () => startDownload({ body: { modelId: model.id } }),
    onSettled: () => queries.invalidateQueries({ queryKey: modelsQuery.queryKey }),
  });
  return (
    <Paper withBorder p="md">
      <Text fw={500}>
        <bdi dir="ltr">{model.id}</bdi>
      </Text>
      <Text size="sm" c="dimmed" dir="auto">
        {model.description}
      </Text>
      <Group gap={6} my="xs">
        <ModelReadiness model={model} />
        <ModelBadges model={model} />
      </Group>
      {model.progress !== null && (
        <Group gap="xs" wrap="nowrap">
          <Progress value={model.progress} flex={1} aria-label={model.id} />
          <Text size="xs">{percent(model.progress)}</Text>
        </Group>
      )}
      {model.message !== null && (
        <Text size="xs" dir="auto" c={model.status === "error" ? "red" : "dimmed"} role="status">
          {model.message}
        </Text>
      )}
      {!model.ready && model.fetchable && model.status !== "downloading" && (
        <Button size="xs" variant="default" loading={download.isPending} onClick={() => download.mutate()}>
          {model.message === null ? t`Download` : t`Try again`}
        </Button>
      )}
      {download.error && <Failure error={download.error} />}
    </Paper>
  );
}
