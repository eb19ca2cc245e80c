import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { JobOut } from "~/api/generated";
import { logQuery } from "~/features/job/queries";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { LogLines } from "~/ui/log-lines";
import { save } from "~/ui/save";

/** The log follows its end until it is paused; a search shows the lines that match. */
export function JobLog({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const [wanted, setWanted] = useState("");
  const [isPaused, setPaused] = useState(false);
  const log = useQuery(logQuery(job.id, isPaused));
  if (log.error && log.data === undefined) return <Failure error={log.error} />;
  if (log.data === undefined) return <Loading height={260} />;
  const lines = log.data;
  const shown = wanted === "" ? lines : lines.filter((line) => line.toLowerCase().includes(wanted.toLowerCase()));
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
        <Button variant="default" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? t`Go on` : t`Pause`}
        </Button>
        <Button variant="default" onClick={() => save(new Blob([lines.join("\n")]), `${job.id}.log`)}>
          <Trans>Download</Trans>
        </Button>
        <Text size="sm" c="dimmed">
          <Plural value={shown.length} one="# line" other="# lines" />
        </Text>
      </Group>
      {lines.length === 0 && <Empty title={t`Nothing was printed yet`} />}
      {lines.length > 0 && shown.length === 0 && <Empty title={t`No line matches`} />}
      {shown.length > 0 && <LogLines lines={shown} isFollowing={!isPaused} />}
    </Stack>
  );
}
