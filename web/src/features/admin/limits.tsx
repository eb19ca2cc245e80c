import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, NumberInput, Stack, Table, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { type UserLimitBody, setLimit } from "~/api/generated";
import { limitsQuery } from "~/features/admin/queries";
import { Copyable } from "~/ui/copyable";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { number } from "~/ui/quantities";
import { Sheet } from "~/ui/sheet";

/** How many active jobs a user may have, where that is not the installation's number. */
export function Limits() {
  const { t } = useLingui();
  const limits = useQuery(limitsQuery);
  const change = useChange();
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        <Trans>How many jobs of a user may run at a time. Everybody who is not listed has this installation's limit.</Trans>
      </Text>
      <LimitForm />
      {limits.error && <Failure error={limits.error} />}
      {change.error && <Failure error={change.error} />}
      {limits.isPending && <Loading height={80} />}
      {limits.data?.length === 0 && <Empty title={t`Nobody has a limit of their own`} />}
      {limits.data && limits.data.length > 0 && (
        <Sheet label={t`Limits`} columns={[t`User`, t`Jobs at a time`, t`Actions`]} minWidth={360}>
          {limits.data.map(({ user_id, max_active_jobs }) => (
            <Table.Tr key={user_id}>
              <Table.Th scope="row" fw={500}>
                <Copyable value={user_id} />
              </Table.Th>
              <Table.Td>{number(max_active_jobs)}</Table.Td>
              <Table.Td>
                <Button size="xs" variant="default" onClick={() => change.mutate({ user_id, max_active_jobs: null })}>
                  <Trans>Take it back</Trans>
                </Button>
              </Table.Td>
            </Table.Tr>
          ))}
        </Sheet>
      )}
    </Stack>
  );
}

function LimitForm() {
  const { t } = useLingui();
  const [user, setUser] = useState("");
  const [most, setMost] = useState<number | string>("");
  const change = useChange();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    change.mutate({ user_id: user.trim(), max_active_jobs: Number(most) }, { onSuccess: () => setUser("") });
  };
  return (
    <form onSubmit={submit}>
      <Group align="end">
        <TextInput
          label={t`User`}
          value={user}
          onChange={(event) => setUser(event.currentTarget.value)}
          required
          withAsterisk={false}
          dir="auto"
        />
        <NumberInput
          label={t`Jobs at a time`}
          value={most}
          onChange={setMost}
          min={0}
          allowDecimal={false}
          clampBehavior="none"
          required
          withAsterisk={false}
        />
        <Button type="submit" variant="default" loading={change.isPending}>
          <Trans>Set the limit</Trans>
        </Button>
      </Group>
      {change.error && <Failure error={change.error} />}
    </form>
  );
}

function useChange() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (body: UserLimitBody) => setLimit({ body }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["admin"] }),
  });
}
