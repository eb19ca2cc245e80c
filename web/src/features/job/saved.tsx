import { Trans, useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import type { JobOut } from "~/api/generated";
import { duration, number } from "~/ui/quantities";

/** What its early end saved, as the server reckons it; nothing for a job that took all of its steps. */
export function Saved({ job: { saved } }: { job: JobOut }) {
  const { t } = useLingui();
  if (saved === null) return null;
  const cost = saved.cost === null ? "" : ` · ${t`cost: ${number(saved.cost)}`}`;
  return (
    <Text size="sm" role="note" aria-label={t`Saved`}>
      <Trans>Ending early saved about {duration(saved.duration_seconds)}</Trans>
      {cost}.{" "}
      <Text span size="xs" c="dimmed">
        <bdi>{saved.explanation}</bdi>
      </Text>
    </Text>
  );
}
