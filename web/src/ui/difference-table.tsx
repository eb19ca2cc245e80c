import { useLingui } from "@lingui/react/macro";
import { Table } from "@mantine/core";
import { Sheet } from "~/ui/sheet";

interface Props {
  differences: readonly { field: string; before: string; now: string }[];
  minWidth: number;
}

/** What was, and what is instead. */
export function DifferenceTable({ differences, minWidth }: Props) {
  const { t } = useLingui();
  return (
    <Sheet label={t`What differs`} columns={[t`What differs`, t`before`, t`now`]} minWidth={minWidth}>
      {differences.map(({ field, before, now }) => (
        <Table.Tr key={field} data-changed={field}>
          <Table.Th scope="row" fw={500}>
            <bdi dir="ltr">{field}</bdi>
          </Table.Th>
          <Table.Td>
            <bdi dir="ltr">{before}</bdi>
          </Table.Td>
          <Table.Td>
            <bdi dir="ltr">{now}</bdi>
          </Table.Td>
        </Table.Tr>
      ))}
    </Sheet>
  );
}
