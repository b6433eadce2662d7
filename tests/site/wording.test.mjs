// S20, S21: nothing of a wording is lost between the catalogue and the page.
import assert from "node:assert/strict";
import { test } from "node:test";

import { blocks, split } from "../../static_site/js/wording.mjs";

const sentence = "Zgadzam się na kontakt w sprawie ofert ubezpieczeń. ";
/** @param {ReturnType<typeof blocks>} all */
const text = (all) =>
  all.map((block) => (block.kind === "list" ? block.items.join(" ") : block.text)).join(" ");

test("a blank line begins a paragraph, other breaks are for the eye", () => {
  assert.deepEqual(blocks("One\ntwo.\n\n\nThree."), [
    { kind: "paragraph", text: "One two." },
    { kind: "paragraph", text: "Three." },
  ]);
});

test("a line that begins with an en dash is an item, and goes on in the next line", () => {
  assert.deepEqual(blocks("For:\n– one\nand a half;\n– two."), [
    { kind: "paragraph", text: "For:" },
    { kind: "list", items: ["one and a half;", "two."] },
  ]);
});

test("a short wording is shown whole", () => {
  const { opening, rest } = split(sentence.repeat(10));
  assert.equal(opening.length, 1);
  assert.deepEqual(rest, []);
});

test("of a long wording the beginning is shown, the rest is counted, nothing is lost", () => {
  const long = Array(12).fill(sentence.repeat(5).trim()).join("\n\n");
  const { opening, rest, minutes } = split(long);
  assert.equal(opening.length, 1);
  assert.equal(minutes, 3);
  assert.equal(text([...opening, ...rest]), long.replace(/\n\n/g, " "));
});

test("a long wording of one paragraph is shown whole rather than cut", () => {
  const { opening, rest } = split(sentence.repeat(60));
  assert.equal(opening.length, 1);
  assert.equal(rest.length, 0);
});
