import { useLingui } from "@lingui/react/macro";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import classes from "~/ui/log-lines.module.css";

const LINE_HEIGHT = 18;

/** Lines of a log, however many; while following it shows the last of them. */
export function LogLines({ lines, isFollowing }: { lines: string[]; isFollowing: boolean }) {
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
