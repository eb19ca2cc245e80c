import { Trans, useLingui } from "@lingui/react/macro";
import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { getIdentity } from "~/api/generated";
import { session } from "~/api/session";
import { useArrive } from "~/features/sign-in/arrive";
import { Failure } from "~/ui/failure";

/** An account of the Supabase project that this server works with. */
export function PasswordForm() {
  const { t } = useLingui();
  const arrive = useArrive();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useMutation({
    mutationFn: async () => {
      const { signInWithPassword } = await import("~/api/supabase");
      const token = await signInWithPassword(email.trim(), password);
      await getIdentity({ auth: token });
      return token;
    },
    onSuccess: arrive,
    onError: session.end, // known there, and not let in here
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    signIn.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label={t`E-mail`}
          type="email"
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          autoComplete="username"
          required
          withAsterisk={false}
          dir="ltr"
        />
        <PasswordInput
          label={t`Password`}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="current-password"
          required
          withAsterisk={false}
          dir="ltr"
        />
        {signIn.error && <Failure error={signIn.error} />}
        <Button type="submit" loading={signIn.isPending}>
          <Trans>Sign in</Trans>
        </Button>
      </Stack>
    </form>
  );
}
