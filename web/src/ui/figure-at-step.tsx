import { Trans } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { figure, number } from "~/ui/quantities";

/** A measured value and when in the training that was. */
export function FigureAtStep({ value, step }: { value: number; step: number | null }) {
  return (
    <>
      {figure(value)}{" "}
      {step !== null && (
        <Text span size="xs" c="dimmed" data-whole>
          <Trans>step {number(step)}</Trans>
        </Text>
      )}
    </>
  );
}
