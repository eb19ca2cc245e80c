import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import type { JobOut } from "~/api/generated";
import classes from "~/features/job/job.module.css";
import { logQuery } from "~/features/job/queries";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { save } from "~/ui/save";

const LINE_HEIGHT = 18;

/** The log follows its end until it is paused; a search shows the lines that match. */
export function JobLog({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const [wanted, setWanted] = useState("");
  const [isPaused, setPaused] = useState(false);
  const log = useQuery(logQuery(job, isPaused));
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
      {shown.length > 0 && <Lines lines={shown} isFollowing={!isPaused} />}
    </Stack>
  );
}

function Lines({ lines, isFollowing }: { lines: string[]; isFollowing: boolean }) {
  const { t } = useLingui();
  const box = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- its rows are made anew on every scroll, as they must be
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE_HEIGHT,
    overscan: 20,
  });
  useEffect(() => {
    if (isFollowing) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [lines, isFollowing]);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard
    <div ref={box} className={classes.log} role="log" aria-label={t`Log`} tabIndex={0} dir="ltr">
      <div className={classes.lines} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => (
          <div
            key={row.key}
            ref={rows.measureElement}
            data-index={row.index}
            className={classes.line}
            style={{ transform: `translateY(${row.start}px)` }}
          >
            {lines[row.index]}
          </div>
        ))}
      </div>
    </div>
  );
}
