import { useLingui } from "@lingui/react/macro";
import { NativeSelect } from "@mantine/core";
import type { JobOrder } from "~/api/generated";

export const NEWEST: JobOrder = "-created_at";
export const ORDERS = [NEWEST, "created_at", "best_loss", "best_val_loss"] as const satisfies readonly JobOrder[];

/** How the server sorts a list of jobs. */
export function SortSelect({ value, onChange }: { value: JobOrder; onChange: (order: JobOrder) => void }) {
  const { t } = useLingui();
  const labels: Record<JobOrder, string> = {
    "-created_at": t`Newest first`,
    created_at: t`Oldest first`,
    best_loss: t`Lowest loss first`,
    best_val_loss: t`Lowest validation first`,
  };
  return (
    <NativeSelect
      size="xs"
      aria-label={t`Order`}
      value={value}
      onChange={(event) => onChange(ORDERS.find((order) => order === event.currentTarget.value) ?? NEWEST)}
      data={ORDERS.map((order) => ({ value: order, label: labels[order] }))}
    />
  );
}
