import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Group } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type MouseEvent, useEffect, useEffectEvent, useRef, useState } from "react";
import classes from "~/ui/log-lines.module.css";
import { type LogLine, isError } from "~/ui/log-text";

const LINE_HEIGHT = 18;

/** How its lines are linked to, where they are. */
export interface LineLinks {
  /** The number of the line that the page's address leads to. */
  chosen: number | undefined;
  addressOf: (number: number) => string;
  onChoose: (number: number) => void;
}

interface Props {
  lines: readonly LogLine[];
  links?: LineLinks;
}

/** Lines of a log, however many. It follows their end until the reader scrolls up, and then says how many have come. */
export function LogLines({ lines, links }: Props) {
  const { t } = useLingui();
  const box = useRef<HTMLDivElement>(null);
  const top = useRef(0);
  const chosenPlace = links?.chosen === undefined ? -1 : lines.findIndex(({ number }) => number === links.chosen);
  // How many lines there were when the reader left their end.
  const [seen, setSeen] = useState<number | null>(chosenPlace < 0 ? null : lines.length);
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
  const goTo = (place: number, align: "start" | "center" = "start") => {
    setSeen(lines.length);
    rows.scrollToIndex(place, { align });
  };
  const show = useEffectEvent((place: number) => {
    const { startIndex = 0, endIndex = -1 } = rows.range ?? {};
    if (place < startIndex || place > endIndex) goTo(place, "center");
  });
  useEffect(() => {
    if (chosenPlace >= 0) show(chosenPlace);
  }, [chosenPlace]);
  const firstError = lines.findIndex(({ text }) => isError(text));
  const added = lines.length - (seen ?? lines.length);
  return (
    <>
      <Ways firstError={firstError} added={added} isFollowing={isFollowing} onGo={goTo} onFollow={() => setSeen(null)} />
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
          {rows.getVirtualItems().map((row) => {
            const { number, text } = lines[row.index] ?? { number: 0, text: "" };
            return (
              <div
                key={row.key}
                ref={rows.measureElement}
                data-index={row.index}
                data-error={isError(text) || undefined}
                data-chosen={number === links?.chosen || undefined}
                className={classes.line}
                style={{ transform: `translateY(${row.start}px)` }}
              >
                {links && <LineNumber number={number} links={links} />}
                <span>{text}</span>
              </div>
            );
          })}
        </div>
      </div>
    </>
  );
}

interface WaysProps {
  /** Its place, or -1. */
  firstError: number;
  added: number;
  isFollowing: boolean;
  onGo: (place: number) => void;
  onFollow: () => void;
}

function Ways({ firstError, added, isFollowing, onGo, onFollow }: WaysProps) {
  return (
    <Group gap="xs">
      {firstError >= 0 && (
        <Button size="compact-sm" variant="default" onClick={() => onGo(firstError)}>
          <Trans>To the first error</Trans>
        </Button>
      )}
      <Button size="compact-sm" variant="default" onClick={() => onGo(0)}>
        <Trans>To the start</Trans>
      </Button>
      <Button size="compact-sm" variant="default" disabled={isFollowing} onClick={onFollow}>
        {added > 0 ? <Plural value={added} one="# new line" other="# new lines" /> : <Trans>To the end</Trans>}
      </Button>
    </Group>
  );
}

/** Leads to its line; a plain click changes nothing but the address. */
function LineNumber({ number, links }: { number: number; links: LineLinks }) {
  const { t } = useLingui();
  const choose = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    links.onChoose(number);
  };
  return (
    <a className={classes.number} href={links.addressOf(number)} aria-label={t`Line ${number}`} onClick={choose}>
      {number}
    </a>
  );
}
