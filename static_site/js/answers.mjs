// @ts-check
import { clone, find } from "./dom.mjs";
import { split } from "./wording.mjs";

/** @typedef {import("./wording.mjs").Block} Block */
/**
 * @typedef {object} Answer
 * @property {string} purpose
 * @property {"notice" | "consent"} kind
 * @property {string} title
 * @property {string} text
 * @property {boolean} answer
 */

/**
 * Every answer with its wording, in the language in which it was declared. The answer stands in words
 * and with a sign, so that it does not hang on a colour.
 * @param {readonly Answer[]} answers
 * @param {string} language of the declaration
 * @returns {DocumentFragment[]}
 */
export function answerItems(answers, language) {
  return answers.map((answer) => {
    const item = clone("answer");
    const title = find(item, "[data-title]");
    title.textContent = answer.title;
    title.lang = language;
    const said = find(item, "[data-said]");
    said.dataset.said = answer.answer ? "yes" : "no";
    find(said, "[data-i18n]").dataset.i18n = sentence(answer);
    wording(item, answer.text, language);
    return item;
  });
}

/** @param {Answer} answer */
function sentence({ kind, answer }) {
  if (kind === "notice") return answer ? "answer.given" : "answer.not_given";
  return answer ? "answer.yes" : "answer.no";
}

/**
 * @param {DocumentFragment} item
 * @param {string} text
 * @param {string} language
 */
function wording(item, text, language) {
  const { opening, rest, minutes } = split(text);
  const shown = find(item, "[data-opening]");
  shown.lang = language;
  shown.append(...opening.map(element));
  const more = find(item, "details");
  if (rest.length === 0) return more.remove();
  find(more, "[data-count]").dataset.count = String(minutes);
  const hidden = find(more, "[data-rest]");
  hidden.lang = language;
  hidden.append(...rest.map(element));
}

/** @param {Block} block */
function element(block) {
  if (block.kind === "paragraph") return withText("p", block.text);
  const list = document.createElement("ul");
  list.append(...block.items.map((item) => withText("li", item)));
  return list;
}

/**
 * @param {string} tag
 * @param {string} text
 */
function withText(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
