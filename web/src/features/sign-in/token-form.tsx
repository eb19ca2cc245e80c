import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Code, PasswordInput, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { getIdentity } from "~/api/generated";
import { useArrive } from "~/features/sign-in/arrive";
import { Failure } from "~/ui/failure";

export function TokenForm() {
  const { t } = useLingui();
  const arrive = useArrive();
  const [token, setToken] = useState("");
  const check = useMutation({
    mutationFn: async (typed: string) => {
      await getIdentity({ auth: typed });
      return typed;
    },
    onSuccess: arrive,
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    check.mutate(token.trim());
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <PasswordInput
          label={t`Token`}
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          autoComplete="current-password"
          required
          withAsterisk={false}
          dir="ltr"
        />
        {check.error && <Failure error={check.error} />}
        <Button type="submit" loading={check.isPending}>
          <Trans>Sign in</Trans>
        </Button>
        <Text size="sm" c="dimmed">
          <Trans>
            An operator makes a token with <Code>lorry token create --user NAME</Code>, or a link that signs you in with{" "}
            <Code>lorry token link --user NAME</Code>.
          </Trans>
        </Text>
      </Stack>
    </form>
  );
}
