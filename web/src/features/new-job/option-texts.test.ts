import { setupI18n } from "@lingui/core";
import { expect, test } from "vitest";
import { OPTION_TEXTS } from "~/features/new-job/option-texts";
import { OPTIONS } from "~/features/new-job/options";
import { messages as english } from "~/texts/en";
import { messages as persian } from "~/texts/fa";

const PERSIAN = /[\u0600-\u06FF]/u;
const speaker = (language: string) => setupI18n({ locale: language, messages: { en: english, fa: persian } });

test("every setting that the server knows is explained, in Persian in Persian", () => {
  const fa = speaker("fa");
  const explained = OPTIONS.map(({ name, description }) => fa._(OPTION_TEXTS[name].id, { description }));
  expect(explained.filter((text) => !PERSIAN.test(text))).toEqual([]);
  expect(new Set(explained).size).toBe(OPTIONS.length);
});

test("in English the server's own words stand", () => {
  const en = speaker("en");
  expect(OPTIONS.map(({ name, description }) => en._(OPTION_TEXTS[name].id, { description }))).toEqual(
    OPTIONS.map(({ description }) => description),
  );
});
