import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Checkbox, Code, Group, Paper, Stack, Table, Text, Title } from "@mantine/core";
import type { ApiError } from "~/api/errors";
import type { EstimateOut, MemoryNeedOut, PlanOut, PlanWarningOut, RecommendationOut } from "~/api/generated";
import { Loading } from "~/ui/loading";
import { Failure } from "~/ui/failure";
import { duration, figure, number, size } from "~/ui/quantities";

interface Props {
  plan: PlanOut | null | undefined;
  error: ApiError | null;
  isAsked: boolean;
  /** The words of the warnings that were. */
  accepted: readonly string[];
  onAccept: (messages: string[]) => void;
  onTake: (option: string, value: unknown) => void;
}

/** What the server says would happen. */
export function PlanPanel(props: Props) {
  return (
    <Paper withBorder p="md" role="status" aria-live="polite">
      <Stack gap="xs">
        <Title order={2} size="h4">
          <Trans>What would happen</Trans>
        </Title>
        <PlanContent {...props} />
      </Stack>
    </Paper>
  );
}

function PlanContent({ plan, error, isAsked, accepted, onAccept, onTake }: Props) {
  const { t } = useLingui();
  if (!isAsked) {
    return (
      <Text size="sm" c="dimmed">
        <Trans>Choose a dataset and a base model.</Trans>
      </Text>
    );
  }
  if (error) {
    return <Failure error={error} title={error.isUnreachable ? "" : t`A job like this would be refused`} />;
  }
  if (!plan) return <Loading height={140} />;
  return (
    <>
      <PlanTable plan={plan} />
      <Estimate estimate={plan.estimate} />
      <Warnings warnings={plan.warnings} accepted={accepted} onAccept={onAccept} />
      <Recommendations recommendations={plan.recommendations} onTake={onTake} />
    </>
  );
}

/** How long and what it costs, as far as completed jobs tell. */
function Estimate({ estimate }: { estimate: EstimateOut | null }) {
  const { t } = useLingui();
  if (estimate === null) {
    return (
      <Text size="xs" c="dimmed">
        <Trans>No job like it has completed here, so nobody knows how long it takes.</Trans>
      </Text>
    );
  }
  const rows: [string, string][] = [[t`Takes about`, duration(estimate.duration_seconds)]];
  if (estimate.cost !== null) rows.push([t`Costs about`, figure(estimate.cost)]);
  return (
    <>
      <Rows rows={rows} />
      <Text size="xs" c="dimmed">
        {estimate.explanation}
      </Text>
    </>
  );
}

/** What speaks against it; the job may be submitted once each has been accepted. */
function Warnings({ warnings, accepted, onAccept }: { warnings: PlanWarningOut[] } & Pick<Props, "accepted" | "onAccept">) {
  const { t } = useLingui();
  if (warnings.length === 0) return null;
  return (
    <Checkbox.Group label={t`Submit it all the same`} value={[...accepted]} onChange={onAccept}>
      <Stack gap="xs" mt="xs">
        {warnings.map(({ code, message }) => (
          <Checkbox key={code} value={message} label={<bdi>{message}</bdi>} data-warning={code} color="orange" />
        ))}
      </Stack>
    </Checkbox.Group>
  );
}

function Recommendations({ recommendations, onTake }: { recommendations: RecommendationOut[]; onTake: Props["onTake"] }) {
  if (recommendations.length === 0) return null;
  return (
    <Stack gap="xs">
      <Text size="sm" fw={600}>
        <Trans>Would suit the dataset better</Trans>
      </Text>
      {recommendations.map(({ option, value, reason }) => (
        <div key={option} data-recommended={option}>
          <Group gap="xs" justify="space-between" wrap="nowrap">
            <Code>{`${option} ${String(value)}`}</Code>
            <Button size="compact-xs" variant="default" onClick={() => onTake(option, value)}>
              <Trans>Take it</Trans>
            </Button>
          </Group>
          <Text size="xs" c="dimmed">
            <bdi>{reason}</bdi>
          </Text>
        </div>
      ))}
    </Stack>
  );
}

function PlanTable({ plan }: { plan: PlanOut }) {
  const { t } = useLingui();
  const memory = useMemoryText(plan.memory);
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
  if (plan.queue !== null) rows.push([t`Place in the queue`, number(plan.queue.position)]);
  if (plan.queue?.eta_seconds != null) rows.push([t`Waits for about`, duration(plan.queue.eta_seconds)]);
  const free = size(plan.disk.free_bytes);
  const needed = plan.disk.needed_bytes === null ? null : size(plan.disk.needed_bytes);
  rows.push([t`Disk`, needed === null ? t`${free} free` : t`up to ${needed}, ${free} free`]);
  if (memory !== null) rows.push([t`GPU memory`, memory]);
  return <Rows rows={rows} />;
}

function useMemoryText(memory: MemoryNeedOut | null): string | null {
  const { t } = useLingui();
  if (memory === null) return null;
  const needed = size(memory.needed_bytes);
  const need = memory.is_measured ? needed : t`${needed} for the weights alone`;
  if (memory.total_bytes === null) return need;
  const total = size(memory.total_bytes);
  if (memory.free_bytes === null) return t`${need}, of ${total}`;
  const free = size(memory.free_bytes);
  return t`${need}, of ${total}; ${free} free`;
}

function Rows({ rows }: { rows: [string, string][] }) {
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
