import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, TagsInput, Text, TextInput, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type KeyboardEvent, useState } from "react";
import { type JobOut, type JobPatch, describeJob } from "~/api/generated";
import classes from "~/features/job/job.module.css";
import { Failure } from "~/ui/failure";
import { PageLink } from "~/ui/links";

const MOST_TAGS = 16;

/** What its owner says of a job, read until somebody wants to write it. */
export function JobNotes({ job }: { job: JobOut }) {
  const [isWritten, setIsWritten] = useState(false);
  return (
    <>
      <Group gap="md">
        {job.tags.map((tag) => (
          <PageLink key={tag} to="/jobs" search={{ tag }} fz="sm">
            <bdi>{tag}</bdi>
          </PageLink>
        ))}
        {job.notes !== null && !isWritten && (
          <Text size="sm" dir="auto" lineClamp={3} className={classes.notes}>
            {job.notes}
          </Text>
        )}
        <Button size="compact-xs" variant="default" aria-expanded={isWritten} onClick={() => setIsWritten(!isWritten)}>
          <Trans>Name, tags and notes</Trans>
        </Button>
      </Group>
      {isWritten && <NotesForm job={job} />}
    </>
  );
}

function NotesForm({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: async (body: JobPatch) => (await describeJob({ path: { job_id: job.id }, body })).data.data,
    onSuccess: async (described) => {
      queries.setQueryData<JobOut>(["job", job.id], described);
      await queries.invalidateQueries({ queryKey: ["jobs"] });
    },
  });
  const name = useSaved(job.name, (text) => change.mutate({ name: text }));
  const notes = useSaved(job.notes, (text) => change.mutate({ notes: text }));
  return (
    <>
      <div className={classes.said}>
        <TextInput size="xs" label={t`Name`} placeholder={t`No name`} maxLength={200} dir="auto" {...name} />
        <TagsInput
          size="xs"
          label={t`Tags`}
          placeholder={job.tags.length === 0 ? t`Add a tag` : ""}
          value={job.tags}
          onChange={(tags) => change.mutate({ tags })}
          maxTags={MOST_TAGS}
          dir="auto"
        />
        <Textarea size="xs" label={t`Notes`} placeholder={t`No notes`} maxLength={10_000} rows={1} resize="vertical" dir="auto" {...notes} />
      </div>
      {change.error && <Failure error={change.error} />}
    </>
  );
}

/** A text that is saved when its field is left, and is as before after Escape. */
function useSaved(saved: string | null, onSave: (text: string | null) => void) {
  const [typed, setTyped] = useState<string | null>(null);
  return {
    value: typed ?? saved ?? "",
    onChange: (event: { currentTarget: { value: string } }) => setTyped(event.currentTarget.value),
    onBlur: () => {
      if (typed !== null && typed !== (saved ?? "")) onSave(typed === "" ? null : typed);
      setTyped(null);
    },
    onKeyDown: (event: KeyboardEvent<HTMLElement>) => {
      if (event.key === "Escape") setTyped(null);
      if (event.key === "Enter" && event.currentTarget.tagName === "INPUT") event.currentTarget.blur();
    },
  };
}
