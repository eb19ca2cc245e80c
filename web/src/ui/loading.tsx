import { useLingui } from "@lingui/react/macro";
import { Skeleton } from "@mantine/core";

/** The place of an answer that is not in yet. */
export function Loading({ height }: { height: number }) {
  const { t } = useLingui();
  return (
    <div role="status" aria-label={t`Loading`}>
      <Skeleton height={height} />
    </div>
  );
}
