import { expect, test } from "vitest";
import { secondsToSave } from "~/features/job/grace";

const ASKED = "2026-11-21T12:00:00Z";
const END = "2026-11-21T12:02:00Z";
const after = (seconds: number) => new Date(ASKED).getTime() + seconds * 1000;

test("a container that was told to stop has what is left of its time", () => {
  expect(secondsToSave({ cancel_requested_at: ASKED, kill_at: END }, after(12))).toBe(108);
});

test("nobody has told it yet", () => {
  expect(secondsToSave({ cancel_requested_at: ASKED, kill_at: null }, after(1))).toBeNull();
});

test.each([120, 121, 9_999])("%d seconds later nothing is left, and never less than that", (seconds) => {
  expect(secondsToSave({ cancel_requested_at: ASKED, kill_at: END }, after(seconds))).toBe(0);
});

test("with a clock that is late it has no more than it was given", () => {
  expect(secondsToSave({ cancel_requested_at: ASKED, kill_at: END }, after(-500))).toBe(120);
});

test("a container that is stopped for another reason has its time too", () => {
  expect(secondsToSave({ cancel_requested_at: null, kill_at: END }, after(110))).toBe(10);
});
