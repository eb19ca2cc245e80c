import { useLingui } from "@lingui/react/macro";
import { Button, Group, NativeSelect, useMantineColorScheme } from "@mantine/core";
import type { MantineColorScheme } from "@mantine/core";
import { useIdentity } from "~/api/identity";
import { session } from "~/api/session";
import { queryClient } from "~/api/client";
import { type Language, choose } from "~/texts/language";

export function Preferences() {
  const { t, i18n } = useLingui();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const identity = useIdentity();
  return (
    <Group gap="xs">
      <NativeSelect
        size="xs"
        aria-label={t`Language`}
        value={i18n.locale}
        onChange={(event) => void choose(event.currentTarget.value as Language)}
        data={[
          { value: "en", label: "English" },
          { value: "fa", label: "فارسی" },
        ]}
      />
      <NativeSelect
        size="xs"
        aria-label={t`Colours`}
        value={colorScheme}
        onChange={(event) => setColorScheme(event.currentTarget.value as MantineColorScheme)}
        data={[
          { value: "auto", label: t`System` },
          { value: "light", label: t`Light` },
          { value: "dark", label: t`Dark` },
        ]}
      />
      <Button size="xs" variant="default" onClick={signOut} title={identity.data?.user_id}>
        {t`Sign out`}
      </Button>
    </Group>
  );
}

function signOut(): void {
  session.end();
  queryClient.clear();
}
