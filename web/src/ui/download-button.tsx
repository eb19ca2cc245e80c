import { useLingui } from "@lingui/react/macro";
import { Button, VisuallyHidden } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { saveArtifact } from "~/ui/save";

interface Props {
  artifactId: string;
  /** What the file will be called. */
  name: string;
  note?: string | false;
}

/** Hands a file to the browser's downloads. */
export function DownloadButton({ artifactId, name, note = false }: Props) {
  const { t } = useLingui();
  const download = useMutation({ mutationFn: () => saveArtifact(artifactId, name) });
  return (
    <Button size="xs" variant="default" loading={download.isPending} onClick={() => download.mutate()}>
      {download.isError ? t`Try again` : t`Download`}
      <VisuallyHidden> {name}</VisuallyHidden>
      {note !== false && `\u00a0· ${note}`}
    </Button>
  );
}
