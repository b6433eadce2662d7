// S38: sentences in three languages; a gap is an error, never an empty place on the page.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { translator } from "../../static_site/js/i18n.mjs";
import { LANGUAGES, preferred } from "../../static_site/js/languages.mjs";
import { inWords } from "../../static_site/js/moment.mjs";

/** @param {string} language */
const words = (language) =>
  JSON.parse(readFileSync(new URL(`../../static_site/locales/${language}.json`, import.meta.url), "utf8"));

test("values are put in, literally", () => {
  const t = translator("en", { hello: "Dear %{name}, %{name}!" });
  assert.equal(t("hello", { name: "$& %{x}" }), "Dear $& %{x}, $& %{x}!");
});

test("a missing sentence or value throws", () => {
  const t = translator("en", { hello: "Dear %{name}" });
  assert.throws(() => t("bye"), /no sentence for bye/);
  assert.throws(() => t("hello"), /hello needs name/);
  assert.throws(() => t("toString"), /no sentence|not a function/);
});

test("each language uses its own plural forms", () => {
  const pl = translator("pl", words("pl"));
  assert.match(pl("answer.rest", { count: 1 }), /1 minuty/);
  assert.match(pl("answer.rest", { count: 3 }), /3 minut\)/);
  assert.match(translator("en", words("en"))("answer.rest", { count: 1 }), /1 minute\)/);
  assert.match(translator("ru", words("ru"))("answer.rest", { count: 21 }), /21 минуты/);
});

test("every plural form that a language can ask for is there", () => {
  for (const language of LANGUAGES) {
    const t = translator(language, words(language));
    for (const count of [...Array(121).keys(), 1.5]) assert.ok(t("answer.rest", { count }));
  }
});

test("the first wished language that we speak wins, English otherwise", () => {
  assert.equal(preferred(["de-DE", "ru-RU", "pl"]), "ru");
  assert.equal(preferred(["PL-pl"]), "pl");
  assert.equal(preferred(["de", "fr"]), "en");
  assert.equal(preferred([]), "en");
});

test("a moment is told in the reader's zone, and the zone is named", () => {
  const instant = "2026-11-22T23:05:41Z";
  assert.deepEqual(inWords(instant, "pl", "Europe/Warsaw"), { date: "23 listopada 2026", time: "00:05 CET" });
  assert.deepEqual(inWords(instant, "en", "Europe/London"), { date: "22 November 2026", time: "23:05 GMT" });
  assert.deepEqual(inWords(instant, "ru", "Europe/Moscow"), { date: "23 ноября 2026 г.", time: "02:05 GMT+3" });
});
