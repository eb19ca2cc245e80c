import { Trans, useLingui } from "@lingui/react/macro";
import { Checkbox, Paper, Stack, TagsInput, Text, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type KeyboardEvent, useState } from "react";
import { type DatasetItemOut, type Exclusion, type ItemBody, changeItem } from "~/api/generated";
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
  const exclusions: Record<Exclusion, string> = {
    not_approved: t`not approved`,
    prohibited: t`training is prohibited`,
    not_allowed: t`training is not among its uses`,
  };
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
          onKeyDown={(event) => {
            if (event.key === "Escape") setTyped(null);
            else goOnWithEnter(event);
          }}
          rows={2}
          dir="auto"
        />
        <Checkbox
          label={t`Approved`}
          checked={item.approval === "labeled"}
          onChange={(event) => change.mutate({ approval: event.currentTarget.checked ? "labeled" : "rejected" })}
        />
        <Uses item={item} onChange={(body) => change.mutate(body)} />
        {item.excluded !== null && (
          <Text size="xs" c="dimmed">
            <Trans>Not trained on: {exclusions[item.excluded]}</Trans>
          </Text>
        )}
        {change.error && <Failure error={change.error} />}
      </Stack>
    </Paper>
  );
}

function Uses({ item, onChange }: { item: DatasetItemOut; onChange: (body: ItemBody) => void }) {
  const { t } = useLingui();
  return (
    <details>
      <summary>
        <Text span size="xs">
          <Trans>Uses</Trans>
        </Text>
      </summary>
      <TagsInput
        size="xs"
        label={t`Allowed`}
        value={item.allowed_uses}
        onChange={(uses) => onChange({ allowed_uses: uses })}
        dir="ltr"
      />
      <TagsInput
        size="xs"
        label={t`Prohibited`}
        value={item.prohibited_uses}
        onChange={(uses) => onChange({ prohibited_uses: uses })}
        dir="ltr"
      />
    </details>
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
