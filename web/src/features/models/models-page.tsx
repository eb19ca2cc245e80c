import { Trans, useLingui } from "@lingui/react/macro";
import { Badge, Button, Group, Paper, Progress, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ModelOut, startDownload } from "~/api/generated";
import classes from "~/features/new-job/new-job.module.css";
import { ModelReadiness, modelsQuery } from "~/features/new-job/model-picker";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { Page } from "~/ui/page";

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
    </Page>
  );
}

function ModelCard({ model }: { model: ModelOut }) {
  const { t } = useLingui();
  const queries = useQueryClient();
  const memory = model.memory === null ? null : t`needs ${model.memory} of memory`;
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
        {[model.licence, model.size, memory].map(
          (fact) =>
            fact !== null && (
              <Badge key={fact} variant="default" tt="none" fw={400}>
                {fact}
              </Badge>
            ),
        )}
      </Group>
      {model.progress !== null && <Progress value={model.progress} aria-label={model.id} />}
      {model.message !== null && (
        <Text size="xs" dir="auto">
          {model.message}
        </Text>
      )}
      {!model.ready && model.fetchable && model.status !== "downloading" && (
        <Button size="xs" variant="default" loading={download.isPending} onClick={() => download.mutate()}>
          <Trans>Download</Trans>
        </Button>
      )}
      {download.error && <Failure error={download.error} />}
    </Paper>
  );
}
