import { Tabs } from "@mantine/core";
import type { ReactNode } from "react";

interface Props<Name extends string> {
  /** The one that the page's address names. */
  chosen: Name;
  onChoose: (name: Name) => void;
  tabs: Record<Name, { label: string; panel: ReactNode }>;
}

/** Panels of which one is shown; which one stands in the page's address, so that it can be linked to. */
export function AddressTabs<Name extends string>({ chosen, onChoose, tabs }: Props<Name>) {
  const named = Object.entries(tabs) as [Name, Props<Name>["tabs"][Name]][];
  return (
    <Tabs value={chosen} onChange={(name) => onChoose(name as Name)} keepMounted={false}>
      <Tabs.List mb="md">
        {named.map(([name, { label }]) => (
          <Tabs.Tab key={name} value={name}>
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {named.map(([name, { panel }]) => (
        <Tabs.Panel key={name} value={name}>
          {panel}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
