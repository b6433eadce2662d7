// M90-M109: what an organisation publishes reaches the reader in a language that there is.
import assert from "node:assert/strict";
import { test } from "node:test";

import { dated, dialled, spoken } from "../../static_site/js/sections.mjs";

const words = { pl: "Prawa", en: "Rights", ru: "Права" };

test("a text is in the reader's language where it was published in that", () => {
  assert.deepEqual(spoken(words, "ru", ["pl"]), { text: "Права", language: "ru" });
});

test("else in the organisation's first language that there is, and says so", () => {
  assert.deepEqual(spoken({ pl: "Prawa" }, "ru", ["en", "pl"]), { text: "Prawa", language: "pl" });
  assert.deepEqual(spoken({ en: "Rights" }, "ru", ["pl"]), { text: "Rights", language: "en" });
});

test("where there is nothing, nothing is said", () => {
  assert.deepEqual(spoken({}, "ru", ["pl"]), { text: "", language: "ru" });
  assert.deepEqual(spoken(undefined, "pl", []), { text: "", language: "pl" });
});

test("M101-M103: a number is dialled as it is written, without its brackets and blanks", () => {
  assert.equal(dialled("8 (800) 200-00-10"), "tel:88002000010");
  assert.equal(dialled("+7 495 771 97 88"), "tel:+74957719788");
});

test("M109: a day is that of the text, whatever the reader's zone", () => {
  assert.equal(dated("2019-04-12", "en"), "12 April 2019");
  assert.equal(dated("2019-04-12", "pl"), "12 kwietnia 2019");
});
