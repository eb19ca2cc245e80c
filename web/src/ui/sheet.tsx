import { Table } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "~/ui/sheet.module.css";

interface Props {
  label: string;
  columns: readonly ReactNode[];
  minWidth?: number;
  children: ReactNode;
}

/** A table whose columns all have a heading; it scrolls by itself where the screen is narrow. `data-whole` cells stay on one line. */
export function Sheet({ label, columns, minWidth = 640, children }: Props) {
  return (
    <Table.ScrollContainer minWidth={minWidth} type="native" tabIndex={0} role="region" aria-label={label}>
      <Table verticalSpacing="xs" highlightOnHover className={classes.sheet}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column, place) => (
              <Table.Th key={place} scope="col">
                {column}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
