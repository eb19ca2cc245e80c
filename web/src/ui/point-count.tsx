import { Trans, useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { number } from "~/ui/quantities";

/** Of how many measurements a chart shows some; nothing where it shows all. */
export function PointCount({ shown, measured }: { shown: number; measured: number }) {
  const { t } = useLingui();
  if (shown >= measured) return null;
  return (
    <Text size="xs" c="dimmed" title={t`The lowest and highest of each stretch, both ends and every validation are shown.`}>
      <Trans>
        {number(shown)} of {number(measured)} points
      </Trans>
    </Text>
  );
}
