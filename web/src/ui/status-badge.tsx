import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { useLingui } from "@lingui/react/macro";
import { Badge } from "@mantine/core";
import type { JobStatus } from "~/api/generated";

const LOOKS: Record<JobStatus, { color: string; label: MessageDescriptor }> = {
  queued: { color: "gray", label: msg`queued` },
  pending: { color: "cyan", label: msg`pending` },
  running: { color: "blue", label: msg`running` },
  completed: { color: "green", label: msg`completed` },
  failed: { color: "red", label: msg`failed` },
  cancelled: { color: "orange", label: msg`cancelled` },
};

export const STATUSES = Object.keys(LOOKS) as JobStatus[];

export function useStatusLabel(): (status: JobStatus) => string {
  const { t } = useLingui();
  return (status) => t(LOOKS[status].label);
}

export function StatusBadge({ status }: { status: JobStatus }) {
  const label = useStatusLabel();
  return (
    <Badge color={LOOKS[status].color} variant="dot" tt="none" fw={500} data-status={status}>
      {label(status)}
    </Badge>
  );
}
