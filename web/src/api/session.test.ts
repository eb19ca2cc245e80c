import { beforeEach, expect, test } from "vitest";
import { session } from "~/api/session";

beforeEach(() => session.end());

test("a token that lasts is sent as it is", async () => {
  session.begin("lorry_lasting");
  expect(await session.fresh()).toBe("lorry_lasting");
});

test("where tokens are renewed, the newest is sent", async () => {
  session.begin("yesterday's");
  session.renewFrom({ token: () => Promise.resolve("today's"), signOut: () => Promise.resolve() });
  expect(await session.fresh()).toBe("today's");
});

test("whoever signs out is signed out there too, once, and nothing is renewed any more", async () => {
  let times = 0;
  session.renewFrom({ token: () => Promise.resolve("another"), signOut: () => Promise.resolve(++times) });
  session.end();
  session.end();
  expect([times, await session.fresh()]).toEqual([1, null]);
});
