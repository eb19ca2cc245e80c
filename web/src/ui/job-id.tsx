import { useLingui } from "@lingui/react/macro";
import { CopyButton, UnstyledButton } from "@mantine/core";
import { PageLink } from "~/ui/links";
import { shortId } from "~/ui/names";

/** A job that is known by its id: a way to its page, and the id on the clipboard after a click. */
export function JobId({ id }: { id: string }) {
  const { t } = useLingui();
  const shown = shortId(id);
  return (
    <>
      <PageLink to="/jobs/$id" params={{ id }} size="sm" dir="ltr" title={id}>
        {shown}
      </PageLink>{" "}
      {window.isSecureContext && (
        <CopyButton value={id}>
          {({ copied, copy }) => (
            <UnstyledButton onClick={copy} aria-label={copied ? t`Copied` : t`Copy ${shown}`} fz="sm" c="dimmed">
              {copied ? "✓" : "⧉"}
            </UnstyledButton>
          )}
        </CopyButton>
      )}
    </>
  );
}
