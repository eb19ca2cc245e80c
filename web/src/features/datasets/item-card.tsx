import { Trans, useLingui } from "@lingui/react/macro";
import { Checkbox, Paper, Stack, Text, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type KeyboardEvent, useState } from "react";
import { type DatasetItemOut, type ItemBody, changeItem } from "~/api/generated";
import { itemPictureUrl } from "~/features/datasets/queries";
import { Failure } from "~/ui/failure";
import { Picture } from "~/ui/picture";

interface Props {
  datasetId: string;
  item: DatasetItemOut;
}

export function ItemCard({ datasetId, item }: Props) {
  const { t } = useLingui();
  const queries = useQueryClient();
  const [typed, setTyped] = useState<string | null>(null);
  const change = useMutation({
    mutationFn: async (body: ItemBody) =>
      (await changeItem({ path: { dataset_id: datasetId, item_id: item.id }, body })).data.data,
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["datasets", datasetId] });
      setTyped(null);
    },
  });
  const saved = item.caption ?? "";
  const save = () => {
    if (typed !== null && typed !== saved) change.mutate({ caption: typed || null });
  };
  return (
    <Paper withBorder p="sm" data-item={item.id}>
      <Stack gap="xs">
        <Picture url={itemPictureUrl(datasetId, item.id)} alt={item.original_name} />
        <Textarea
          aria-label={t`Caption of ${item.original_name}`}
          placeholder={t`No caption`}
          value={typed ?? saved}
          onChange={(event) => setTyped(event.currentTarget.value)}
          onBlur={save}
          onKeyDown={goOnWithEnter}
          rows={2}
          dir="auto"
        />
        <Checkbox
          label={t`Approved`}
          checked={item.approval === "labeled"}
          onChange={(event) => change.mutate({ approval: event.currentTarget.checked ? "labeled" : "rejected" })}
        />
        {item.excluded !== null && (
          <Text size="xs" c="dimmed">
            <Trans>Not trained on: {item.excluded}</Trans>
          </Text>
        )}
        {change.error && <Failure error={change.error} />}
      </Stack>
    </Paper>
  );
}

function goOnWithEnter(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
  event.preventDefault();
  const captions = [...document.querySelectorAll<HTMLTextAreaElement>("[data-item] textarea")];
  const next = captions[captions.indexOf(event.currentTarget) + 1];
  if (next) next.focus();
  else event.currentTarget.blur();
}
