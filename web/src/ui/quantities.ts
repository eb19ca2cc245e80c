/** Numbers, sizes and times in the words of the reader's language. */
import { i18n } from "@lingui/core";
import { directionOf } from "~/texts/language";

const KILO = 1000;
const BYTE_UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

export function number(value: number, options: Intl.NumberFormatOptions = {}): string {
  return new Intl.NumberFormat(i18n.locale, options).format(value);
}

export function percent(value: number): string {
  return number(value / 100, { style: "percent", maximumFractionDigits: value > 0 && value < 10 ? 1 : 0 });
}

/** Four significant digits, however small: a loss or a learning rate. */
export function figure(value: number): string {
  const isSmall = value !== 0 && Math.abs(value) < 0.001;
  const text = number(value, { maximumSignificantDigits: 4, notation: isSmall ? "scientific" : "standard" });
  return isSmall ? leftToRight(text) : text;
}

/** By how much something is more or less. */
export function signed(value: number): string {
  return leftToRight(`${value > 0 ? "+" : ""}${figure(value)}`);
}

/** A power of ten in a text from right to left would change places with its base. */
function leftToRight(text: string): string {
  return directionOf(i18n.locale) === "rtl" ? `\u2066${text}\u2069` : text;
}

export function size(bytes: number): string {
  const exponent = Math.min(Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(KILO)), BYTE_UNITS.length - 1);
  return number(bytes / KILO ** exponent, {
    style: "unit",
    unit: BYTE_UNITS[exponent],
    maximumFractionDigits: exponent === 0 ? 0 : 1,
  });
}

/** The two largest units of a length of time, like `2 min 5 sec`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / DAY), "day"],
    [Math.floor((whole % DAY) / HOUR), "hour"],
    [Math.floor((whole % HOUR) / MINUTE), "minute"],
    [whole % MINUTE, "second"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  const shown = first < 0 ? parts.slice(-1) : parts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown.map(([count, unit]) => number(count, { style: "unit", unit, unitDisplay: "short" })).join(" ");
}

export function exactTime(instant: string | number): string {
  return new Intl.DateTimeFormat(i18n.locale, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(instant));
}

/** Seconds since 1970 as a mark on an axis: its time of day, or its day where marks are days apart. */
export function clockTime(seconds: number, isDay: boolean): string {
  const options: Intl.DateTimeFormatOptions = isDay ? { day: "numeric", month: "short" } : { timeStyle: "medium" };
  return new Intl.DateTimeFormat(i18n.locale, options).format(new Date(seconds * 1000));
}

/** A day of the calendar in UTC, written 2026-11-21. */
export function calendarDay(day: string): string {
  return new Intl.DateTimeFormat(i18n.locale, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(day));
}

/** How long ago, as of `now` in milliseconds. */
export function relativeTime(instant: string, now: number): string {
  const seconds = (new Date(instant).getTime() - now) / 1000;
  const distance = Math.abs(seconds);
  const format = new Intl.RelativeTimeFormat(i18n.locale, { numeric: "auto", style: "short" });
  if (distance < MINUTE) return format.format(Math.round(seconds), "second");
  if (distance < HOUR) return format.format(Math.round(seconds / MINUTE), "minute");
  if (distance < DAY) return format.format(Math.round(seconds / HOUR), "hour");
  return format.format(Math.round(seconds / DAY), "day");
}
