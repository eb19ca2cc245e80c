import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Group } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import classes from "~/ui/log-lines.module.css";
import { isError } from "~/ui/log-text";

const LINE_HEIGHT = 18;

/** Lines of a log, however many. It follows their end until the reader scrolls up, and then says how many have come. */
export function LogLines({ lines }: { lines: readonly string[] }) {
  const { t } = useLingui();
  const box = useRef<HTMLDivElement>(null);
  const top = useRef(0);
  // How many lines there were when the reader left their end.
  const [seen, setSeen] = useState<number | null>(null);
  const isFollowing = seen === null;
  // eslint-disable-next-line react-hooks/incompatible-library -- its rows are made anew on every scroll, as they must be
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE_HEIGHT,
    overscan: 20,
  });
  const height = rows.getTotalSize();
  useEffect(() => {
    if (isFollowing) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [lines, isFollowing, height]);

  const notice = ({ scrollTop, scrollHeight, clientHeight }: HTMLDivElement) => {
    if (scrollHeight - scrollTop - clientHeight < LINE_HEIGHT) setSeen(null);
    else if (scrollTop < top.current) setSeen((known) => known ?? lines.length);
    top.current = scrollTop;
  };
  const goTo = (line: number) => {
    setSeen(lines.length);
    rows.scrollToIndex(line, { align: "start" });
  };
  const firstError = lines.findIndex(isError);
  const added = lines.length - (seen ?? lines.length);
  return (
    <>
      <Group gap="xs">
        {firstError >= 0 && (
          <Button size="compact-sm" variant="default" onClick={() => goTo(firstError)}>
            <Trans>To the first error</Trans>
          </Button>
        )}
        <Button size="compact-sm" variant="default" onClick={() => goTo(0)}>
          <Trans>To the start</Trans>
        </Button>
        <Button size="compact-sm" variant="default" disabled={isFollowing} onClick={() => setSeen(null)}>
          {added > 0 ? <Plural value={added} one="# new line" other="# new lines" /> : <Trans>To the end</Trans>}
        </Button>
      </Group>
      <div
        ref={box}
        className={classes.log}
        role="log"
        aria-label={t`Log`}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard
        tabIndex={0}
        dir="ltr"
        onScroll={(event) => notice(event.currentTarget)}
      >
        <div className={classes.lines} style={{ height }}>
          {rows.getVirtualItems().map((row) => (
            <div
              key={row.key}
              ref={rows.measureElement}
              data-index={row.index}
              data-error={isError(lines[row.index] ?? "") || undefined}
              className={classes.line}
              style={{ transform: `translateY(${row.start}px)` }}
            >
              {lines[row.index]}
            </div>
          ))}
        </div>
      </div>
    </>
  );
}
