import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Checkbox, CopyButton, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { type JobOut, type LogListing, downloadLog } from "~/api/generated";
import { logFromQuery, logQuery } from "~/features/job/queries";
import { Empty } from "~/ui/empty";
import { Failure } from "~/ui/failure";
import { Loading } from "~/ui/loading";
import { LogLines } from "~/ui/log-lines";
import { byAttempt, numbered, selected } from "~/ui/log-text";
import { number } from "~/ui/quantities";
import { save } from "~/ui/save";

const route = getRouteApi("/signed-in/jobs/$id");

const ALL = "";
// A line that is not among the last ones is shown with those around it: the same ones for all lines of such a block.
const BLOCK_LINES = 5_000;

/** The end of what all attempts printed, or the part that the page's address leads to. */
export function JobLog({ job }: { job: JobOut }) {
  const { line } = route.useSearch();
  const end = useQuery(logQuery(job.id));
  const isEarlier = line !== undefined && end.data !== undefined && line < end.data.first_line;
  const part = useQuery({ ...logFromQuery(job.id, startOfPart(line ?? 1)), enabled: isEarlier });
  const log = isEarlier ? part : end;
  if (log.error && log.data === undefined) return <Failure error={log.error} />;
  if (log.data === undefined) return <Loading height={260} />;
  return <LogPart key={String(isEarlier)} job={job} log={log.data} />;
}

function startOfPart(line: number): number {
  return Math.max(0, Math.floor((line - 1) / BLOCK_LINES) - 1) * BLOCK_LINES;
}

/** A search, an attempt or a choice of errors shows the lines that match. */
function LogPart({ job, log }: { job: JobOut; log: LogListing }) {
  const { t } = useLingui();
  const [words, setWords] = useState("");
  const [areErrorsOnly, setErrorsOnly] = useState(false);
  const [attempt, setAttempt] = useState(ALL);
  const links = useLineLinks();
  const all = numbered(log.data, log.first_line);
  const attempts = byAttempt(all, job.attempt);
  const lines = attempts.find((each) => String(each.attempt) === attempt)?.lines ?? all;
  const shown = selected(lines, { words, areErrorsOnly });
  return (
    <Stack gap="sm">
      <Group>
        <TextInput
          aria-label={t`Search the log`}
          placeholder={t`Search the log`}
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
          dir="auto"
        />
        <Checkbox label={t`Errors only`} checked={areErrorsOnly} onChange={(event) => setErrorsOnly(event.currentTarget.checked)} />
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
        <WholeLog job={job} />
        {shown.length > 0 && shown.length < log.line_count && (
          <Button variant="default" onClick={() => save(new Blob([shown.map(({ text }) => text).join("\n")]), `${job.id}.log`)}>
            <Trans>Download these</Trans>
          </Button>
        )}
        {links.chosen !== undefined && <LineLink line={links.chosen} address={links.addressOf(links.chosen)} />}
        <Text size="sm" c="dimmed">
          <Plural value={shown.length} one="# line" other="# lines" />
        </Text>
      </Group>
      <Extent log={log} onGo={links.onChoose} />
      {all.length === 0 && <Empty title={job.completed_at === null ? t`Nothing was printed yet` : t`Nothing was printed`} />}
      {all.length > 0 && shown.length === 0 && <Empty title={t`No line matches`} />}
      {shown.length > 0 && <LogLines lines={shown} links={links} />}
    </Stack>
  );
}

/** Which part of a log this is that is too long to be shown whole, and the ways to the others. */
function Extent({ log, onGo }: { log: LogListing; onGo: (line: number | undefined) => void }) {
  const last = log.first_line + log.data.length - 1;
  if (log.data.length >= log.line_count) return null;
  return (
    <Group gap="xs">
      <Text size="sm" c="dimmed">
        <Trans>
          Lines {number(log.first_line)} to {number(last)} of {number(log.line_count)}
        </Trans>
      </Text>
      {log.first_line > 1 && (
        <Button size="compact-sm" variant="default" onClick={() => onGo(log.first_line - 1)}>
          <Trans>Earlier lines</Trans>
        </Button>
      )}
      {last < log.line_count && (
        <Button size="compact-sm" variant="default" onClick={() => onGo(undefined)}>
          <Trans>The newest lines</Trans>
        </Button>
      )}
    </Group>
  );
}

function WholeLog({ job }: { job: JobOut }) {
  const { t } = useLingui();
  const download = useMutation({
    mutationFn: async () => {
      const { data } = await downloadLog({ path: { job_id: job.id }, parseAs: "blob" });
      save(data as Blob, `${job.id}.log`);
    },
  });
  return (
    <Button variant="default" loading={download.isPending} onClick={() => download.mutate()}>
      {download.isError ? t`Try again` : t`Download`}
    </Button>
  );
}

/** For others to see the same line. Without a clipboard (plain HTTP from another machine) the address bar has it too. */
function LineLink({ line, address }: { line: number; address: string }) {
  const { t } = useLingui();
  if (!window.isSecureContext) return null;
  return (
    <CopyButton value={new URL(address, window.location.href).href}>
      {({ copied, copy }) => (
        <Button variant="default" onClick={copy}>
          {copied ? t`Copied` : t`Copy the link to line ${line}`}
        </Button>
      )}
    </CopyButton>
  );
}

function useLineLinks() {
  const router = useRouter();
  const { id } = route.useParams();
  const { line } = route.useSearch();
  const navigate = route.useNavigate();
  return {
    chosen: line,
    addressOf: (chosen: number) =>
      router.buildLocation({ to: "/jobs/$id", params: { id }, search: { tab: "log", line: chosen } }).href,
    onChoose: (chosen: number | undefined) =>
      void navigate({ search: (before) => ({ ...before, line: chosen }), replace: true, resetScroll: false }),
  };
}
