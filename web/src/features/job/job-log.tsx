import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { JobOut } from "~/api/generated";
import { logQuery } from "~/features/job/queries";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { LogLines } from "~/ui/log-lines";
import { byAttempt } from "~/ui/log-text";
import { save } from "~/ui/save";

const ALL = "";

/** What all attempts printed, or one of them; a search shows the lines that match. */
export function JobLog({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const [wanted, setWanted] = useState("");
  const [attempt, setAttempt] = useState(ALL);
  const log = useQuery(logQuery(job.id));
  if (log.error && log.data === undefined) return <Failure error={log.error} />;
  if (log.data === undefined) return <Loading height={260} />;
  const attempts = byAttempt(log.data, job.attempt);
  const lines = attempts.find((each) => String(each.attempt) === attempt)?.lines ?? log.data;
  const shown = wanted === "" ? lines : lines.filter((line) => line.toLowerCase().includes(wanted.toLowerCase()));
  const download = (some: readonly string[]) => save(new Blob([some.join("\n")]), `${job.id}.log`);
  return (
    <Stack gap="sm">
      <Group>
        <TextInput
          aria-label={t`Search the log`}
          placeholder={t`Search the log`}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
          dir="auto"
        />
        {attempts.length > 1 && (
          <NativeSelect
            aria-label={t`Attempt`}
            value={attempt}
            onChange={(event) => setAttempt(event.currentTarget.value)}
            data={[
              { value: ALL, label: t`All attempts` },
              ...attempts.map((each) => ({ value: String(each.attempt), label: t`Attempt ${each.attempt}` })),
            ]}
          />
        )}
        <Button variant="default" onClick={() => download(log.data)}>
          <Trans>Download</Trans>
        </Button>
        {shown.length > 0 && shown.length < log.data.length && (
          <Button variant="default" onClick={() => download(shown)}>
            <Trans>Download these</Trans>
          </Button>
        )}
        <Text size="sm" c="dimmed">
          <Plural value={shown.length} one="# line" other="# lines" />
        </Text>
      </Group>
      {lines.length === 0 && <Empty title={job.completed_at === null ? t`Nothing was printed yet` : t`Nothing was printed`} />}
      {lines.length > 0 && shown.length === 0 && <Empty title={t`No line matches`} />}
      {shown.length > 0 && <LogLines lines={shown} />}
    </Stack>
  );
}
