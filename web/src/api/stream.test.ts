import { expect, test } from "vitest";
import { ApiError } from "~/api/errors";
import { type LinkState, type Open, type StreamEvent, follow, pauseBefore } from "~/api/stream";

const bytes = new TextEncoder();

function connection(...chunks: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(bytes.encode(chunk));
      controller.close();
    },
  });
}

/** Follow connections one after the other; null ends it. What was seen, and from where each was asked for. */
async function followed(...connections: (ReadableStream<Uint8Array> | Error | null)[]) {
  const asked: (string | null)[] = [];
  const events: StreamEvent[] = [];
  const states: LinkState[] = [];
  const open: Open = (after) => {
    asked.push(after);
    const next = connections.shift() ?? null;
    window.setTimeout(() => window.dispatchEvent(new Event("online"))); // nobody waits in a test
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  };
  const listener = { onEvent: (event: StreamEvent) => events.push(event), onState: (state: LinkState) => states.push(state) };
  await follow(open, listener, new AbortController().signal);
  return { asked, events, states };
}

test("an event that comes in pieces, beside comments, is told once and whole", async () => {
  const { events } = await followed(connection(': ping\n\nevent: progress\nid: 7\nda', 'ta: {"progress": 4}\n\n'), null);
  expect(events).toEqual([{ name: "progress", data: { progress: 4 } }]);
});

test("after a break it goes on behind the last event", async () => {
  const { asked, states } = await followed(
    connection("id: 1\ndata: {}\n\n"),
    new ApiError(0, "UNREACHABLE", "no answer"),
    connection("data: {}\n\n"),
    null,
  );
  expect(asked).toEqual([null, "1", "1", "1"]);
  expect(states).toEqual(["live", "reconnecting", "live"]);
});

test("a place that the server does not know is given up", async () => {
  const { asked } = await followed(connection("id: 1\ndata: {}\n\n"), new ApiError(400, "CURSOR_UNKNOWN", "no such place"), null);
  expect(asked).toEqual([null, "1", null]);
});

test("who is refused for good does not ask again", async () => {
  const { asked, states } = await followed(new ApiError(404, "JOB_NOT_FOUND", "There is no job with this id."));
  expect([asked, states]).toEqual([[null], []]);
});

test("pauses grow, are scattered and have an end", () => {
  expect([0, 1, 2, 20].map((failures) => pauseBefore(failures, 1))).toEqual([500, 1000, 2000, 15_000]);
  expect(pauseBefore(2, 0)).toBe(1000);
});
