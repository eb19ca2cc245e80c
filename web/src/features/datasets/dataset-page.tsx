import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Alert, List, Pagination, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import classes from "~/features/datasets/datasets.module.css";
import { ItemCard } from "~/features/datasets/item-card";
import { PAGE_SIZE, datasetQuery, itemsQuery, reportQuery } from "~/features/datasets/queries";
import { Failure } from "~/ui/failure";
import { PageButton } from "~/ui/links";
import { Loading } from "~/ui/loading";
import { Page } from "~/ui/page";
import { number } from "~/ui/quantities";

const RESOLUTION = 512;

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
      <Report id={id} />
      <Gallery id={id} />
    </Page>
  );
}

/** What the server finds wrong with it, and advises. */
function Report({ id }: { id: string }) {
  const { t } = useLingui();
  const report = useQuery(reportQuery(id, RESOLUTION));
  if (report.error) return <Failure error={report.error} />;
  if (report.data === undefined) return <Loading height={80} />;
  const { findings, advice, trainable_count, item_count, recommended_steps } = report.data;
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed">
        <Trans>
          {number(trainable_count)} of {number(item_count)} pictures may be trained on
        </Trans>
        {recommended_steps !== null && (
          <>
            {" · "}
            <Plural value={recommended_steps} one="# step recommended" other="# steps recommended" />
          </>
        )}
      </Text>
      {findings.length + advice.length > 0 && (
        <Alert color="orange" title={t`Worth a look before training`}>
          <List size="sm">
            {findings.map((finding) => (
              <List.Item key={finding.problem}>{finding.message}</List.Item>
            ))}
            {advice.map((each) => (
              <List.Item key={each.advice}>
                {each.advice} {each.reason}
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
    </Stack>
  );
}

function Gallery({ id }: { id: string }) {
  const { t } = useLingui();
  const { page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const items = useQuery(itemsQuery(id, page));
  if (items.error) return <Failure error={items.error} />;
  if (items.data === undefined) return <Loading height={320} />;
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        <Trans>A caption is saved when you leave it or press Enter, which goes on to the next.</Trans>
      </Text>
      <div className={classes.items}>
        {items.data.data.map((item) => (
          <ItemCard key={item.id} datasetId={id} item={item} />
        ))}
      </div>
      {items.data.total > PAGE_SIZE && (
        <Pagination
          value={page}
          total={Math.ceil(items.data.total / PAGE_SIZE)}
          onChange={(chosen) => void navigate({ search: chosen > 1 ? { page: chosen } : {} })}
          getControlProps={(control) => ({ "aria-label": control })}
          getItemProps={(each) => ({ "aria-label": t`Page ${each}` })}
        />
      )}
    </Stack>
  );
}
