import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Loader, Paper, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { exchangeCode, getSignInOptions } from "~/api/generated";
import { useArrive } from "~/features/sign-in/arrive";
import { PasswordForm } from "~/features/sign-in/password-form";
import classes from "~/features/sign-in/sign-in-page.module.css";
import { TokenForm } from "~/features/sign-in/token-form";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";

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
          {code === undefined ? <SignInForm /> : <LinkExchange code={code} />}
        </Stack>
      </Paper>
    </main>
  );
}

/** As this installation does it; a token works everywhere. */
function SignInForm() {
  const options = useQuery({
    queryKey: ["sign-in-options"],
    queryFn: async ({ signal }) => (await getSignInOptions({ signal })).data.data,
    staleTime: Infinity,
  });
  if (options.error) return <Failure error={options.error} onRetry={() => void options.refetch()} />;
  if (options.data === undefined) return <Loading height={160} />;
  if (options.data.mode === "token") return <TokenForm />;
  return (
    <>
      <PasswordForm />
      <details>
        <summary>
          <Trans>Sign in with a token</Trans>
        </summary>
        <TokenForm />
      </details>
    </>
  );
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
