import { i18n } from "@lingui/core";
import { messages as english } from "~/texts/en";

export type Language = "en" | "fa";

const KEY = "lorry-language";

/** English is part of the first load; other languages come when they are chosen. */
export async function speak(language: Language): Promise<void> {
  const messages = language === "fa" ? (await import("~/texts/persian")).messages : english;
  i18n.load(language, messages);
  i18n.activate(language);
  document.documentElement.lang = language;
  document.documentElement.dir = directionOf(language);
}

export function directionOf(language: string): "rtl" | "ltr" {
  return language === "fa" ? "rtl" : "ltr";
}

export function chosenLanguage(): Language {
  return document.documentElement.lang === "fa" ? "fa" : "en";
}

export async function choose(language: Language): Promise<void> {
  localStorage.setItem(KEY, language);
  await speak(language);
}
