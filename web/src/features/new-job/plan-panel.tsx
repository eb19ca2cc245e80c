import { Trans, useLingui } from "@lingui/react/macro";
import { Paper, Stack, Table, Text, Title } from "@mantine/core";
import type { ApiError } from "~/api/errors";
import type { PlanOut } from "~/api/generated";
import { Loading } from "~/ui/loading";
import { Failure } from "~/ui/failure";
import { duration, number } from "~/ui/quantities";

interface Props {
  plan: PlanOut | null | undefined;
  error: ApiError | null;
  isAsked: boolean;
}

/** What the server says would happen. */
export function PlanPanel({ plan, error, isAsked }: Props) {
  return (
    <Paper withBorder p="md" role="status" aria-live="polite">
      <Stack gap="xs">
        <Title order={2} size="h4">
          <Trans>What would happen</Trans>
        </Title>
        <PlanContent plan={plan} error={error} isAsked={isAsked} />
      </Stack>
    </Paper>
  );
}

function PlanContent({ plan, error, isAsked }: Props) {
  if (!isAsked) {
    return (
      <Text size="sm" c="dimmed">
        <Trans>Choose a dataset and a base model.</Trans>
      </Text>
    );
  }
  if (error) {
    return <Failure error={error} />;
  }
  if (!plan) return <Loading height={140} />;
  return <PlanTable plan={plan} />;
}

function PlanTable({ plan }: { plan: PlanOut }) {
  const { t } = useLingui();
  const start = plan.queue?.reason ?? t`at once`;
  const rows: [string, string][] = [
    [t`Trained on`, number(plan.train_count)],
    [t`Held out`, number(plan.val_count)],
    [t`With captions`, t`${number(plan.captioned_count)} of ${number(plan.item_count)}`],
    [t`Steps`, number(plan.total_steps)],
    [t`Epochs`, number(plan.total_epochs)],
    ...Object.entries(plan.excluded_items).map(([reason, count]): [string, string] => [
      t`Left out: ${reason}`,
      number(count),
    ]),
    [t`Starts`, start],
  ];
  if (plan.queue?.eta_seconds != null) rows.push([t`Waits for about`, duration(plan.queue.eta_seconds)]);
  return (
    <Table withRowBorders={false} verticalSpacing={2} horizontalSpacing={0}>
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th scope="row" fw={400}>
              {name}
            </Table.Th>
            <Table.Td ta="end">{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
