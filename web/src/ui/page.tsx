import { Group, Stack, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

/** A page: its name in the tab and as its heading, what can be done there beside it. */
export function Page({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Lorry`;
  }, [title]);
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        <Title order={1} size="h2" dir="auto">
          {title}
        </Title>
        {actions}
      </Group>
      {children}
    </Stack>
  );
}
