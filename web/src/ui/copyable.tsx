import { useLingui } from "@lingui/react/macro";
import { CopyButton, Text, UnstyledButton } from "@mantine/core";
import classes from "~/ui/copyable.module.css";

interface Props {
  value: string;
  /** As much of it as people compare; all of it unless told. */
  shown?: string;
  color?: "dimmed" | "inherit";
}

/** An id or checksum: all of it on hover, on the clipboard after a click where the browser has one for this page. */
export function Copyable({ value, shown = value, color = "dimmed" }: Props) {
  const { t } = useLingui();
  const short = (
    <bdi dir="ltr" className={classes.value}>
      {shown}
    </bdi>
  );
  if (!window.isSecureContext) {
    return (
      <Text span size="xs" c={color} title={value}>
        {short}
      </Text>
    );
  }
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <UnstyledButton onClick={copy} title={value} aria-label={copied ? t`Copied` : t`Copy ${shown}`} fz="xs" c={color}>
          {copied ? t`Copied` : short}
        </UnstyledButton>
      )}
    </CopyButton>
  );
}
