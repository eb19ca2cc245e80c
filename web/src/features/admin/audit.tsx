import { useLingui } from "@lingui/react/macro";
import { Pagination, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { AUDIT_PAGE_SIZE, auditQuery } from "~/features/admin/queries";
import { Copyable } from "~/ui/copyable";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { Sheet } from "~/ui/sheet";
import { When } from "~/ui/when";

/** What administrators and operators did, newest first. */
export function Audit() {
  const { t } = useLingui();
  const [page, setPage] = useState(1);
  const entries = useQuery(auditQuery(page));
  if (entries.error) return <Failure error={entries.error} />;
  if (entries.data === undefined) return <Loading height={160} />;
  if (entries.data.total === 0) return <Empty title={t`Nothing was decided yet`} />;
  return (
    <Stack>
      <Sheet label={t`Audit`} columns={[t`When`, t`Who`, t`On what`, t`What`]}>
        {entries.data.data.map((entry) => (
          <Table.Tr key={entry.id}>
            <Table.Td>
              <When at={entry.at} />
            </Table.Td>
            <Table.Td>
              <Copyable value={entry.actor} />
            </Table.Td>
            <Table.Td>
              <Copyable value={entry.subject} />
            </Table.Td>
            <Table.Td>
              <Text size="sm" dir="auto">
                {entry.message}
              </Text>
              <Text size="xs" c="dimmed">
                <bdi dir="ltr">{entry.action}</bdi>
              </Text>
            </Table.Td>
          </Table.Tr>
        ))}
      </Sheet>
      {entries.data.total > AUDIT_PAGE_SIZE && (
        <Pagination
          value={page}
          total={Math.ceil(entries.data.total / AUDIT_PAGE_SIZE)}
          onChange={setPage}
          getControlProps={(control) => ({ "aria-label": control })}
          getItemProps={(each) => ({ "aria-label": t`Page ${each}` })}
        />
      )}
    </Stack>
  );
}
