import { useLingui } from "@lingui/react/macro";
import { Chip, Group, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { getRouteApi } from "@tanstack/react-router";
import { type Ref, useState } from "react";
import type { JobOrder, JobStatus } from "~/api/generated";
import { NEWEST, SortSelect } from "~/ui/sort-select";
import { STATUSES, useStatusLabel } from "~/ui/status-badge";

const TYPING_PAUSE_MS = 250;

const route = getRouteApi("/signed-in/jobs");

export function JobFilters({ field }: { field: Ref<HTMLInputElement> }) {
  const { t } = useLingui();
  const { q, status, tag, sort } = route.useSearch();
  const kept = { ...(tag !== undefined && { tag }), ...(sort && { sort }) };
  const navigate = route.useNavigate();
  const label = useStatusLabel();
  const [typed, setTyped] = useState(q ?? "");
  const search = useDebouncedCallback((text: string) => {
    void navigate({ search: { ...(status && { status }), ...(text !== "" && { q: text }), ...kept }, replace: true });
  }, TYPING_PAUSE_MS);
  const choose = (chosen: string[]) => {
    void navigate({
      search: { ...(chosen.length > 0 && { status: chosen as JobStatus[] }), ...(q !== undefined && { q }), ...kept },
    });
  };
  const order = (by: JobOrder) => {
    void navigate({ search: { ...(status && { status }), ...(q !== undefined && { q }), ...kept, sort: by } });
  };
  return (
    <Group>
      <TextInput
        ref={field}
        aria-label={t`Search by name`}
        placeholder={t`Search by name`}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          search(event.currentTarget.value);
        }}
        dir="auto"
      />
      <Chip.Group multiple value={status ?? []} onChange={choose}>
        <Group gap="xs" role="group" aria-label={t`State`}>
          {STATUSES.map((each) => (
            <Chip key={each} value={each} size="xs">
              {label(each)}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      {tag !== undefined && (
        <Chip
          checked
          size="xs"
          onChange={() =>
            void navigate({ search: { ...(status && { status }), ...(q !== undefined && { q }), ...(sort && { sort }) } })
          }
        >
          <bdi>{t`tag ${tag}`}</bdi>
        </Chip>
      )}
      <SortSelect value={sort ?? NEWEST} onChange={order} />
    </Group>
  );
}
