import { Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** Nothing is here, why, and what to do next. Only shown once the answer is in. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Stack align="center" gap="xs" py="xl" ta="center">
      <Title order={3}>{title}</Title>
      <Text c="dimmed" component="div">
        {children}
      </Text>
    </Stack>
  );
}
