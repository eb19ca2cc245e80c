/** What the lines of a log are about, as far as their text tells. */

const ERROR = /\b(traceback|\w*error|\w*exception|fatal|critical)\b/i;
const MARK = /^\[attempt (\d+)\]$/; // written by the server where a later attempt begins

export function isError(line: string): boolean {
  return ERROR.test(line);
}

export interface AttemptLog {
  attempt: number;
  lines: string[];
}

/** Attempts share a log. Its beginning may have been cut off, but never the newest attempt's end. */
export function byAttempt(lines: readonly string[], newest: number): AttemptLog[] {
  const parts: AttemptLog[] = [{ attempt: newest, lines: [] }];
  for (const line of lines) {
    const begun = MARK.exec(line)?.[1];
    if (begun !== undefined) {
      if (parts.length === 1) parts[0] = { attempt: Number(begun) - 1, lines: parts[0]?.lines ?? [] };
      parts.push({ attempt: Number(begun), lines: [] });
    }
    parts.at(-1)?.lines.push(line);
  }
  return parts.filter((part) => part.lines.length > 0);
}
