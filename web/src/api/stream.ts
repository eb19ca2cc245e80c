/** Server-sent events over fetch, which sends the token as a header; after a break it goes on behind the last event. */
import { createParser } from "eventsource-parser";
import { ApiError } from "~/api/errors";
import type { StreamJobData, StreamJobsData } from "~/api/generated";
import { client } from "~/api/generated/client.gen";

export interface StreamEvent {
  name: string;
  data: unknown;
}

export type LinkState = "connecting" | "live" | "reconnecting";

export interface Listener {
  onEvent: (event: StreamEvent) => void;
  onState: (state: LinkState) => void;
}

/** The bytes of one connection, from behind the event `after`; null means that nothing is left to be told. */
export type Open = (after: string | null, signal: AbortSignal) => Promise<ReadableStream<Uint8Array> | null>;

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const SILENCE_MS = 45_000; // three heartbeats of the server that did not come
const REFUSED_FOR_GOOD = [401, 403, 404];

/** Of one job, or of all of the user's. */
export function openStream(jobId: string | null): Open {
  const address =
    jobId === null
      ? { url: "/api/training/stream" satisfies StreamJobsData["url"] }
      : { url: "/api/training/jobs/{job_id}/stream" satisfies StreamJobData["url"], path: { job_id: jobId } };
  return async (after, signal) => {
    const answer = await client.get<ReadableStream<Uint8Array>, unknown, true>({
      ...address,
      ...(after === null ? { query: { after: "now" } } : { headers: { "Last-Event-ID": after } }),
      security: [{ scheme: "bearer", type: "http" }],
      parseAs: "stream",
      cache: "no-store",
      signal,
    });
    return answer.response.status === 204 ? null : answer.data;
  };
}

/** Tell `listener` what comes, until the stream has told all, is refused for good, or `signal` is aborted. */
export async function follow(open: Open, listener: Listener, signal: AbortSignal): Promise<void> {
  let last: string | null = null;
  let failures = 0;
  const told = (event: StreamEvent, id: string | undefined) => {
    failures = 0;
    last = id ?? last;
    listener.onEvent(event);
  };
  while (!signal.aborted) {
    try {
      const body = await open(last, signal);
      if (body === null) return;
      listener.onState("live");
      await read(body, told);
    } catch (error) {
      if (isOver(error, signal)) return;
      if (error instanceof ApiError && error.code === "CURSOR_UNKNOWN") last = null;
      listener.onState("reconnecting");
    }
    await pause(pauseBefore(failures++), signal);
  }
}

/** Milliseconds before the next attempt: doubled each time, and scattered, so that not all pages come back at once. */
export function pauseBefore(failures: number, chance: number = Math.random()): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS) * (0.5 + chance / 2);
}

async function read(body: ReadableStream<Uint8Array>, told: (event: StreamEvent, id: string | undefined) => void): Promise<void> {
  const parser = createParser({
    onEvent: ({ event, id, data }) => told({ name: event ?? "message", data: JSON.parse(data) as unknown }, id),
  });
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await withoutSilence(reader.read());
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
    }
  } finally {
    void reader.cancel().catch(() => undefined); // of a connection that is gone already
  }
}

async function withoutSilence<T>(next: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("The connection is silent.")), SILENCE_MS);
  });
  try {
    return await Promise.race([next, silence]);
  } finally {
    clearTimeout(timer);
  }
}

function isOver(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || (error instanceof ApiError && REFUSED_FOR_GOOD.includes(error.status));
}

/** Ends early when the network is back, or nobody waits any more. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const goOn = () => {
      clearTimeout(timer);
      resolve();
    };
    window.addEventListener("online", goOn, { once: true, signal });
    signal.addEventListener("abort", goOn, { once: true });
  });
}
