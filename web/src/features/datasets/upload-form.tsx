import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Paper, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type SubmitEvent, useState } from "react";
import type { DatasetOut } from "~/api/generated";
import type { Chosen } from "~/features/datasets/batches";
import { DropZone } from "~/features/datasets/drop-zone";
import { Sending, type SendingState } from "~/features/datasets/sending";
import { deliver } from "~/features/datasets/upload";
import { Refusals, UploadProgress } from "~/features/datasets/upload-progress";
import { Failure } from "~/ui/failure";
import { PageButton } from "~/ui/links";

/** Pictures for a new dataset, or more for one that is there. */
export function UploadForm({ dataset: target = null }: { dataset?: DatasetOut | null }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [sending, setSending] = useState<Sending | null>(null);
  const [state, setState] = useState<SendingState | null>(null);
  const [name, setName] = useState("");
  const upload = useMutation({
    mutationFn: async (chosen: Sending) => {
      let refusedCount = 0;
      const dataset = await chosen.run(name, (next) => {
        refusedCount = next.refusals.length;
        setState(next);
      });
      return { dataset, refusedCount };
    },
    onSuccess: async ({ dataset, refusedCount }) => {
      if (dataset === null || refusedCount > 0) return;
      choose([]);
      if (target === null) await navigate({ to: "/datasets/$id", params: { id: dataset.id } });
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["datasets"] }),
  });
  const choose = (files: Chosen[]) => {
    upload.reset();
    setState(null);
    setSending(files.length > 0 ? new Sending(files, deliver, target) : null);
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (sending) upload.mutate(sending);
  };
  return (
    <Paper component="form" withBorder p="md" onSubmit={submit}>
      <Stack>
        <DropZone
          label={target ? t`Add pictures` : t`New dataset`}
          count={sending?.files.length ?? 0}
          isDisabled={upload.isPending}
          onChoose={choose}
        />
        {sending && !upload.isSuccess && (
          <Group align="end">
            {target === null && (
              <NameInput value={name} isSettled={sending.dataset !== null} onChange={setName} />
            )}
            <Button type="submit" loading={upload.isPending}>
              <Trans>Upload</Trans>
            </Button>
          </Group>
        )}
        {sending && state && !upload.isSuccess && <UploadProgress sending={sending} state={state} />}
        {upload.error && <Failure error={upload.error} title={t`The upload stopped; press Upload to send what is left`} />}
        <Refusals refusals={state?.refusals ?? []} />
        {upload.data?.dataset && target === null && (
          <PageButton to="/datasets/$id" params={{ id: upload.data.dataset.id }} variant="default">
            <Trans>Open the dataset</Trans>
          </PageButton>
        )}
      </Stack>
    </Paper>
  );
}

function NameInput({ value, isSettled, onChange }: { value: string; isSettled: boolean; onChange: (name: string) => void }) {
  const { t } = useLingui();
  return (
    <TextInput
      label={t`Name`}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      required
      maxLength={200}
      withAsterisk={false}
      disabled={isSettled}
      dir="auto"
    />
  );
}
