import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Progress, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type DragEvent, type SubmitEvent, useRef, useState } from "react";
import classes from "~/features/datasets/datasets.module.css";
import { upload } from "~/features/datasets/upload";
import { Failure } from "~/ui/failure";

export function UploadForm() {
  const { t } = useLingui();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [files, setFiles] = useState<File[]>([]);
  const [name, setName] = useState("");
  const [sent, setSent] = useState(0);
  const sending = useMutation({
    mutationFn: () => upload({ name, files, onProgress: setSent }),
    onSuccess: async (dataset) => {
      await queries.invalidateQueries({ queryKey: ["datasets"] });
      await navigate({ to: "/datasets/$id", params: { id: dataset.id } });
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    sending.mutate();
  };
  return (
    <Paper component="form" withBorder p="md" onSubmit={submit}>
      <Stack>
        <DropZone files={files} onChoose={setFiles} />
        {files.length > 0 && (
          <Group align="end">
            <TextInput
              label={t`Name`}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              required
              withAsterisk={false}
              dir="auto"
            />
            <Button type="submit" loading={sending.isPending}>
              <Trans>Upload</Trans>
            </Button>
          </Group>
        )}
        {sending.isPending && <Progress value={sent} aria-label={t`Progress`} />}
        {sending.error && <Failure error={sending.error} />}
      </Stack>
    </Paper>
  );
}

function DropZone({ files, onChoose }: { files: File[]; onChoose: (files: File[]) => void }) {
  const { t } = useLingui();
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    onChoose([...event.dataTransfer.files]);
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- the button inside does the same by keyboard
    <div
      className={classes.zone}
      data-over={isOver}
      role="group"
      aria-label={t`New dataset`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept="image/*,.txt,.zip"
        aria-label={t`Pictures and captions`}
        onChange={(event) => onChoose([...(event.currentTarget.files ?? [])])}
      />
      <Button variant="default" onClick={() => input.current?.click()}>
        <Trans>Choose pictures and captions</Trans>
      </Button>
      <Text size="sm" c="dimmed">
        {files.length > 0 ? (
          <Plural value={files.length} one="# file chosen" other="# files chosen" />
        ) : (
          <Trans>or drop them here: cat.png with cat.txt beside it, or one zip of them</Trans>
        )}
      </Text>
    </div>
  );
}
