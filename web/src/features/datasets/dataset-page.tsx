import { Trans, useLingui } from "@lingui/react/macro";
import { Group, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Gallery } from "~/features/datasets/gallery";
import { datasetJobsQuery, datasetQuery } from "~/features/datasets/queries";
import { Report } from "~/features/datasets/report";
import { UploadForm } from "~/features/datasets/upload-form";
import { JobTable } from "~/features/jobs/job-table";
import { Copyable } from "~/ui/copyable";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { PageButton } from "~/ui/links";
import { Loading } from "~/ui/loading";
import { shortId } from "~/ui/names";
import { Page } from "~/ui/page";

const route = getRouteApi("/signed-in/datasets/$id");

export function DatasetPage() {
  const { id } = route.useParams();
  const dataset = useQuery(datasetQuery(id));
  if (dataset.error) return <Failure error={dataset.error} />;
  if (dataset.data === undefined) return <Loading height={320} />;
  return (
    <Page
      title={dataset.data.name}
      actions={
        <PageButton to="/jobs/new" search={{ dataset: id }}>
          <Trans>Train on it</Trans>
        </PageButton>
      }
    >
      <Group>
        <Copyable value={id} shown={shortId(id)} />
      </Group>
      <Report id={id} />
      <Gallery id={id} />
      <Stack gap="xs">
        <Title order={2} size="h4">
          <Trans>Add pictures</Trans>
        </Title>
        <UploadForm dataset={dataset.data} />
      </Stack>
      <Jobs id={id} />
    </Page>
  );
}

function Jobs({ id }: { id: string }) {
  const { t } = useLingui();
  const jobs = useQuery(datasetJobsQuery(id));
  return (
    <Stack gap="xs">
      <Title order={2} size="h4">
        <Trans>Jobs that trained on it</Trans>
      </Title>
      {jobs.error && <Failure error={jobs.error} />}
      {jobs.isPending && <Loading height={80} />}
      {jobs.data?.total === 0 && <Empty title={t`None yet`} />}
      {jobs.data && jobs.data.total > 0 && <JobTable jobs={jobs.data.data} />}
    </Stack>
  );
}
