import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Code, List, Text } from "@mantine/core";
import type { ApiError } from "~/api/errors";
import { Copyable } from "~/ui/copyable";

interface Props {
  error: ApiError;
  title?: string; // what was tried
  onRetry?: () => void;
}

/** What went wrong, as a sentence, and what may be done about it. */
export function Failure({ error, title = "", onRetry }: Props) {
  const { t } = useLingui();
  const untold = error.details.filter((detail) => !error.message.includes(detail.message));
  // Where every field is named below, the sentence would only say that they are.
  const isListed = error.code === "VALIDATION_FAILED" && untold.length > 0;
  const heading = title || (error.isUnreachable ? t`The server does not answer` : t`That did not work`);
  return (
    <Alert color="red" title={heading} role="alert">
      <Text size="sm" dir="auto" hidden={isListed}>
        {error.isUnreachable && !title ? t`Your jobs go on without this page. It tries again by itself.` : error.message}
      </Text>
      {untold.length > 0 && (
        <List size="sm" mt="xs">
          {untold.map((detail) => (
            <List.Item key={`${detail.field} ${detail.message}`}>
              <Code>{detail.field}</Code> {detail.message}
            </List.Item>
          ))}
        </List>
      )}
      {error.requestId !== null && (
        <Text size="xs" mt="xs">
          <Trans>
            Request <Copyable value={error.requestId} color="inherit" />
          </Trans>
        </Text>
      )}
      {onRetry && (
        <Button mt="sm" size="xs" variant="default" onClick={onRetry}>
          <Trans>Try again</Trans>
        </Button>
      )}
    </Alert>
  );
}
