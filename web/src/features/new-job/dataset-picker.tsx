import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Group, Radio, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { DatasetOut } from "~/api/generated";
import { datasetsQuery, itemPictureUrl, itemsQuery } from "~/features/datasets/queries";
import classes from "~/features/new-job/new-job.module.css";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { PageLink } from "~/ui/links";
import { Picture } from "~/ui/picture";

const THUMBNAILS = 4;

interface Props {
  value: string;
  error: string | undefined;
  onChange: (id: string) => void;
}

export function DatasetPicker({ value, error, onChange }: Props) {
  const { t } = useLingui();
  const datasets = useQuery(datasetsQuery);
  if (datasets.error) return <Failure error={datasets.error} />;
  if (datasets.data === undefined) return <Loading height={120} />;
  if (datasets.data.total === 0) {
    return (
      <Empty title={t`No datasets yet`}>
        <PageLink to="/datasets">
          <Trans>Upload pictures first</Trans>
        </PageLink>
      </Empty>
    );
  }
  return (
    <Radio.Group label={t`Dataset`} value={value} onChange={onChange} error={error}>
      <div className={classes.cards}>
        {datasets.data.data.map((dataset) => (
          <DatasetCard key={dataset.id} dataset={dataset} />
        ))}
      </div>
    </Radio.Group>
  );
}

function DatasetCard({ dataset }: { dataset: DatasetOut }) {
  const items = useQuery(itemsQuery(dataset.id, 1, THUMBNAILS));
  return (
    <Radio.Card value={dataset.id} p="sm" className={classes.card} aria-label={dataset.name}>
      <Stack gap="xs">
        <Group gap={4} className={classes.thumbnails}>
          {items.data?.data.map((item) => (
            <Picture key={item.id} url={itemPictureUrl(dataset.id, item.id)} alt="" size={56} />
          ))}
        </Group>
        <Group gap="xs" wrap="nowrap">
          <Radio.Indicator />
          <div>
            <Text fw={500} dir="auto">
              {dataset.name}
            </Text>
            <Text size="xs" c="dimmed">
              <Plural value={dataset.item_count} one="# picture" other="# pictures" />
            </Text>
          </div>
        </Group>
      </Stack>
    </Radio.Card>
  );
}
