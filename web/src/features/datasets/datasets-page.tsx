import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Paper, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { DatasetOut } from "~/api/generated";
import classes from "~/features/datasets/datasets.module.css";
import { datasetsQuery, itemPictureUrl, itemsQuery } from "~/features/datasets/queries";
import { UploadForm } from "~/features/datasets/upload-form";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { PageLink } from "~/ui/links";
import { Loading } from "~/ui/loading";
import { Page } from "~/ui/page";
import { Picture } from "~/ui/picture";
import { size } from "~/ui/quantities";

const THUMBNAILS = 6;

export function DatasetsPage() {
  const { t } = useLingui();
  return (
    <Page title={t`Datasets`}>
      <UploadForm />
      <DatasetList />
    </Page>
  );
}

function DatasetList() {
  const { t } = useLingui();
  const datasets = useQuery(datasetsQuery);
  if (datasets.error) return <Failure error={datasets.error} onRetry={() => void datasets.refetch()} />;
  if (datasets.data === undefined) return <Loading height={200} />;
  if (datasets.data.total === 0) {
    return (
      <Empty title={t`No datasets yet`}>
        <Trans>Drop pictures above, each with a text file of the same name for its caption.</Trans>
      </Empty>
    );
  }
  return (
    <div className={classes.cards}>
      {datasets.data.data.map((dataset) => (
        <DatasetCard key={dataset.id} dataset={dataset} />
      ))}
    </div>
  );
}

function DatasetCard({ dataset }: { dataset: DatasetOut }) {
  const items = useQuery(itemsQuery(dataset.id, 1, THUMBNAILS));
  return (
    <Paper withBorder p="md">
      <div className={classes.thumbnails}>
        {items.data?.data.map((item) => (
          <Picture key={item.id} url={itemPictureUrl(dataset.id, item.id)} alt="" />
        ))}
      </div>
      <PageLink to="/datasets/$id" params={{ id: dataset.id }} fw={500} dir="auto">
        {dataset.name}
      </PageLink>
      <Text size="xs" c="dimmed">
        <Plural value={dataset.item_count} one="# picture" other="# pictures" />
        {dataset.size_bytes !== null && ` · ${size(dataset.size_bytes)}`}
      </Text>
    </Paper>
  );
}
