// Follows a job as docs/streams.md tells a page to. What is told, and how often a connection broke, is on `window`.

const KINDS = ["status", "phase", "sample", "history", "metrics", "log", "progress", "done", "error", "closing"];
const ENDS = ["done", "error"];
const PAUSE_MS = 100;

window.told = [];
window.breaks = 0;

const lastId = () => window.told.at(-1)?.id ?? "";
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
const address = (job) => `/api/training/jobs/${job}/stream`;

function note(name, id, data) {
  window.told.push({ name, id, data: JSON.parse(data) });
  return ENDS.includes(name);
}

async function ticketFor(job, token) {
  const answer = await fetch("/api/auth/ticket", {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ job_id: job }),
  });
  return (await answer.json()).data.ticket;
}

/** Until the job's end, or until the browser gives the connection up: its ticket is worth nothing a second time. */
async function listen(job, token) {
  const query = new URLSearchParams({ ticket: await ticketFor(job, token), after: lastId() });
  if (lastId() === "") query.delete("after");
  const source = new EventSource(`${address(job)}?${query}`);
  return new Promise((resolve, reject) => {
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        // The connection's own errors have the name of one of our events, and no data.
        if (event.data !== undefined && note(kind, event.lastEventId, event.data)) {
          source.close();
          resolve();
        } else if (event.data === undefined && source.readyState === EventSource.CLOSED) {
          reject(new Error("the connection is gone"));
        }
      });
    }
  });
}

/** Until the server closes, or the connection breaks. */
async function read(job, token) {
  const headers = { Authorization: `Bearer ${token}` };
  if (lastId() !== "") headers["Last-Event-ID"] = lastId();
  const answer = await fetch(address(job), { headers });
  let rest = "";
  for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + text).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s, 2)));
      // Without data it is no event, but a sign of life.
      if (fields.data !== undefined) note(fields.event, fields.id, fields.data);
    }
  }
}

async function follow(way, job, token) {
  while (!window.told.some((event) => ENDS.includes(event.name))) {
    try {
      await { EventSource: listen, fetch: read }[way](job, token);
    } catch {
      window.breaks += 1;
      await pause();
    }
  }
}
