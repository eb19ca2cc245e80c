import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Group, Pagination, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import classes from "~/features/datasets/datasets.module.css";
import { ItemCard } from "~/features/datasets/item-card";
import { PAGE_SIZE, itemsQuery } from "~/features/datasets/queries";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { PageButton } from "~/ui/links";
import { Loading } from "~/ui/loading";

const route = getRouteApi("/signed-in/datasets/$id");

/** All its pictures, or those with the problem that stands in the address. */
export function Gallery({ id }: { id: string }) {
  const { t } = useLingui();
  const { page = 1, problem } = route.useSearch();
  const navigate = route.useNavigate();
  const items = useQuery(itemsQuery(id, page, PAGE_SIZE, problem));
  if (items.error) return <Failure error={items.error} />;
  if (items.data === undefined) return <Loading height={320} />;
  return (
    <Stack>
      {problem !== undefined && <Chosen id={id} count={items.data.total} />}
      {items.data.total === 0 ? (
        <Empty title={t`No picture has this problem`} />
      ) : (
        <Text size="sm" c="dimmed">
          <Trans>A caption is saved when you leave it or press Enter, which goes on to the next. Escape takes back what you typed.</Trans>
        </Text>
      )}
      <div className={classes.items}>
        {items.data.data.map((item) => (
          <ItemCard key={item.id} datasetId={id} item={item} />
        ))}
      </div>
      {items.data.total > PAGE_SIZE && (
        <Pagination
          value={page}
          total={Math.ceil(items.data.total / PAGE_SIZE)}
          onChange={(chosen) => void navigate({ search: (before) => ({ ...before, page: chosen }) })}
          getControlProps={(control) => ({ "aria-label": control })}
          getItemProps={(each) => ({ "aria-label": t`Page ${each}` })}
        />
      )}
    </Stack>
  );
}

function Chosen({ id, count }: { id: string; count: number }) {
  return (
    <Group>
      <Text fw={600}>
        <Plural value={count} one="# picture with this problem" other="# pictures with this problem" />
      </Text>
      <PageButton to="/datasets/$id" params={{ id }} search={{}} size="xs" variant="default">
        <Trans>Show all</Trans>
      </PageButton>
    </Group>
  );
}
