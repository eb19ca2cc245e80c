import { useLingui } from "@lingui/react/macro";
import { Button, CopyButton as Copying } from "@mantine/core";

/** Puts `value` on the clipboard, where the browser has one for this page: not over plain HTTP from another machine. */
export function CopyButton({ value, name }: { value: string; name: string }) {
  const { t } = useLingui();
  if (!window.isSecureContext) return null;
  return (
    <Copying value={value}>
      {({ copied, copy }) => (
        <Button size="compact-xs" variant="default" onClick={copy} aria-label={t`Copy ${name}`}>
          {copied ? t`Copied` : t`Copy`}
        </Button>
      )}
    </Copying>
  );
}
