import { i18n } from "@lingui/core";
import { beforeEach, expect, test } from "vitest";
import { calendarDay, duration, figure, percent, relativeTime, signed, size } from "~/ui/quantities";

beforeEach(() => i18n.loadAndActivate({ locale: "en", messages: {} }));

test.each([
  [0, "0 sec"],
  [59.6, "1 min"],
  [125, "2 min 5 sec"],
  [3600, "1 hr"],
  [90_061, "1 day 1 hr"],
])("%d seconds are said as %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test.each([
  [0, "0 byte"],
  [999, "999 byte"],
  [12_300, "12.3 kB"],
  [2_000_000_000, "2 GB"],
])("%d bytes are said as %s", (bytes, text) => {
  expect(size(bytes)).toBe(text);
});

test("a small share keeps a digit, a large one does not", () => {
  expect([percent(0), percent(0.5), percent(42.4), percent(100)]).toEqual(["0%", "0.5%", "42%", "100%"]);
});

test("a tiny figure is not rounded away", () => {
  expect([figure(0.123456), figure(0.00001)]).toEqual(["0.1235", "1E-5"]);
});

test("a day is the same day in every zone", () => {
  expect(calendarDay("2026-11-21")).toBe("Nov 21, 2026");
});

test("how long ago is said in the largest unit", () => {
  const now = Date.parse("2026-01-02T00:00:00Z");
  expect(relativeTime("2026-01-01T23:59:30Z", now)).toBe("30 sec. ago");
  expect(relativeTime("2026-01-01T00:00:00Z", now)).toBe("yesterday");
});

test("Persian readers get their own digits", () => {
  i18n.loadAndActivate({ locale: "fa", messages: {} });
  expect(percent(42)).toBe("۴۲٪");
  expect(figure(0.00001)).toBe("\u2066۱×۱۰^\u200e−۵\u2069");
});

test("a difference says its direction", () => {
  expect([signed(0.0021), signed(-0.5), signed(0)]).toEqual(["+0.0021", "-0.5", "0"]);
});
