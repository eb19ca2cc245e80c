import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Alert, Code, Group, List, Progress, ScrollArea, Stack, Text } from "@mantine/core";
import { type Refusal, type Sending, type SendingState, sharesOf } from "~/features/datasets/sending";
import { number, percent, size } from "~/ui/quantities";

/** How far the upload is as a whole, and the files that are on their way. */
export function UploadProgress({ sending, state }: { sending: Sending; state: SendingState }) {
  const { t } = useLingui();
  const share = sending.totalBytes > 0 ? state.doneBytes / sending.totalBytes : 0;
  const shares = sharesOf(state.batch, state.batchShare);
  return (
    <Stack gap="xs">
      <Progress value={100 * share} aria-label={t`Progress`} />
      <Text size="sm" c="dimmed">
        <Trans>
          {number(state.arrivedCount)} of {number(sending.files.length)} files have arrived, {size(state.doneBytes)} of{" "}
          {size(sending.totalBytes)} are sent
        </Trans>
      </Text>
      {state.isWaiting && (
        <Text size="sm">
          <Trans>The server does not answer. What has arrived is kept; the rest is tried again in a moment.</Trans>
        </Text>
      )}
      <ScrollArea.Autosize mah={160}>
        {state.batch.map(({ path }, place) => (
          <Group key={path} justify="space-between" wrap="nowrap">
            <Text size="xs" truncate dir="auto">
              {path}
            </Text>
            <Text size="xs" c="dimmed">
              {percent(Math.round(100 * (shares[place] ?? 0)))}
            </Text>
          </Group>
        ))}
      </ScrollArea.Autosize>
    </Stack>
  );
}

/** In the server's words. */
export function Refusals({ refusals }: { refusals: readonly Refusal[] }) {
  if (refusals.length === 0) return null;
  return (
    <Alert
      color="orange"
      role="alert"
      title={<Plural value={refusals.length} one="# file was refused" other="# files were refused" />}
    >
      <ScrollArea.Autosize mah={240}>
        <List size="sm">
          {refusals.map(({ name, message }, place) => (
            <List.Item key={`${place} ${name}`}>
              <Code>{name}</Code> {message}
            </List.Item>
          ))}
        </List>
      </ScrollArea.Autosize>
    </Alert>
  );
}
