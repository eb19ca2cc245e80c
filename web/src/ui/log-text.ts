/** What the lines of a log are about, as far as their text tells. */

const ERROR = /\b(traceback|\w*error|\w*exception|fatal|critical)\b/i;
const MARK = /^\[attempt (\d+)\]$/; // written by the server where a later attempt begins

/** A line and its number in the whole log, from 1, by which it can be linked to. */
export interface LogLine {
  number: number;
  text: string;
}

export function numbered(texts: readonly string[], firstLine = 1): LogLine[] {
  return texts.map((text, place) => ({ number: firstLine + place, text }));
}

export function isError(line: string): boolean {
  return ERROR.test(line);
}

export interface LogFilter {
  words: string;
  areErrorsOnly: boolean;
}

/** The lines that a reader asks for; without a wish all of them. */
export function selected(lines: readonly LogLine[], { words, areErrorsOnly }: LogFilter): readonly LogLine[] {
  const wanted = words.toLowerCase();
  return lines.filter(({ text }) => text.toLowerCase().includes(wanted) && (!areErrorsOnly || isError(text)));
}

export interface AttemptLog {
  attempt: number;
  lines: LogLine[];
}

/** Attempts share a log. Its beginning may have been cut off, but never the newest attempt's end. */
export function byAttempt(lines: readonly LogLine[], newest: number): AttemptLog[] {
  const parts: AttemptLog[] = [{ attempt: newest, lines: [] }];
  for (const line of lines) {
    const begun = MARK.exec(line.text)?.[1];
    if (begun !== undefined) {
      if (parts.length === 1) parts[0] = { attempt: Number(begun) - 1, lines: parts[0]?.lines ?? [] };
      parts.push({ attempt: Number(begun), lines: [] });
    }
    parts.at(-1)?.lines.push(line);
  }
  return parts.filter((part) => part.lines.length > 0);
}
