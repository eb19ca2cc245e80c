import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Stack, Text } from "@mantine/core";
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type JobOut, listDeletedJobs, restoreJob } from "~/api/generated";
import { Failure } from "~/ui/failure";
import { jobName } from "~/ui/names";
import { Until } from "~/ui/when";

const SHOWN = 3;
const DELETED = ["deleted jobs"];

const deletedQuery = queryOptions({
  queryKey: DELETED,
  queryFn: async ({ signal }) => (await listDeletedJobs({ signal })).data.data,
});

/** What was deleted and can be brought back; of `only` that job where it is given. */
export function DeletedJobs({ only }: { only?: string }) {
  const { t } = useLingui();
  const { data = [] } = useQuery(deletedQuery);
  const jobs = only === undefined ? data : data.filter((job) => job.id === only);
  if (jobs.length === 0) return null;
  return (
    <Paper withBorder p="xs" role="region" aria-label={t`Deleted`}>
      <Stack gap="xs">
        {jobs.slice(0, SHOWN).map((job) => (
          <Deleted key={job.id} job={job} />
        ))}
        {jobs.length > SHOWN && (
          <details>
            <summary>
              <Trans>Deleted before that</Trans>
            </summary>
            <Stack gap="xs" mt="xs">
              {jobs.slice(SHOWN).map((job) => (
                <Deleted key={job.id} job={job} />
              ))}
            </Stack>
          </details>
        )}
      </Stack>
    </Paper>
  );
}

function Deleted({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const queries = useQueryClient();
  const restore = useMutation({
    mutationFn: () => restoreJob({ path: { job_id: job.id } }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: DELETED });
      await queries.invalidateQueries({ queryKey: ["jobs"] });
      await queries.invalidateQueries({ queryKey: ["job", job.id] });
    },
  });
  const name = jobName(job);
  return (
    <>
      <Group gap="xs">
        <Text size="sm">
          <Trans>
            Deleted: <bdi>{name}</bdi>
          </Trans>
        </Text>
        <Button size="compact-xs" variant="default" aria-label={t`Undo: ${name}`} loading={restore.isPending} onClick={() => restore.mutate()}>
          <Trans>Undo</Trans>
        </Button>
        {job.restorable_until !== null && (
          <Text size="xs" c="dimmed">
            <Trans>
              removed for good <Until at={job.restorable_until} />
            </Trans>
          </Text>
        )}
      </Group>
      {restore.error && <Failure error={restore.error} />}
    </>
  );
}
