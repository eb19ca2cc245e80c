import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Code, Loader, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { type SubmitEvent, useEffect, useState } from "react";
import { exchangeCode, getIdentity } from "~/api/generated";
import { session } from "~/api/session";
import classes from "~/features/sign-in/sign-in-page.module.css";
import { Failure } from "~/ui/failure";

const route = getRouteApi("/signin");

export function SignInPage() {
  const { t } = useLingui();
  const { code } = route.useSearch();
  useEffect(() => {
    document.title = `${t`Sign in`} · Lorry`;
  }, [t]);
  return (
    <main className={classes.page}>
      <Paper withBorder p="xl" radius="md" className={classes.card}>
        <Stack>
          <Title order={1} size="h2">
            <Trans>Sign in to Lorry</Trans>
          </Title>
          {code === undefined ? <TokenForm /> : <LinkExchange code={code} />}
        </Stack>
      </Paper>
    </main>
  );
}

function useArrive() {
  const navigate = useNavigate();
  const { to } = route.useSearch();
  return (token: string) => {
    session.begin(token);
    // Only ever a path of this app: the address bar is not to send anybody elsewhere.
    void navigate({ href: to?.startsWith("/") && !to.startsWith("//") ? to : "/jobs", replace: true });
  };
}

function LinkExchange({ code }: { code: string }) {
  const arrive = useArrive();
  const navigate = useNavigate();
  const exchange = useQuery({
    queryKey: ["sign-in", code],
    queryFn: async () => (await exchangeCode({ body: { code } })).data.data.token,
    retry: false,
    staleTime: Infinity,
  });
  const token = exchange.data;
  useEffect(() => {
    if (token !== undefined) arrive(token);
  });
  if (exchange.error === null) return <Loader aria-label="…" />;
  return (
    <>
      <Failure error={exchange.error} />
      <Button variant="default" onClick={() => void navigate({ to: "/signin", search: {}, replace: true })}>
        <Trans>Sign in with a token</Trans>
      </Button>
    </>
  );
}

function TokenForm() {
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
