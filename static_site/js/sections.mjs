// @ts-check
/**
 * The plain blocks of a published text as elements of the page. Text becomes text nodes; an address
 * of the web becomes a link only where it is one.
 */

import { clone, find } from "./dom.mjs";
import { inWords } from "./moment.mjs";

/** @typedef {import("./i18n.mjs").Translate} Translate */
/** @typedef {Record<string, string>} Words one text by language */
/** @typedef {{number: string, note?: Words}} Phone */
/** @typedef {{address: string, note?: Words}} Site */
/**
 * @typedef {object} Contact
 * @property {"contact"} kind
 * @property {Words} name
 * @property {Words} [about]
 * @property {Words} [address]
 * @property {Words} [hours]
 * @property {Phone[]} [phones]
 * @property {string} [fax]
 * @property {string} [email]
 * @property {Site[]} [sites]
 * @property {string} [checked_on] when somebody last made sure that it is right
 */
/**
 * @typedef {{kind: "heading" | "paragraph" | "warning", text: Words}
 *   | {kind: "list", items: Words[], numbered?: boolean}
 *   | Contact} Block
 */
/** @typedef {{t: Translate, language: string, others: readonly string[]}} Speech */

const WEB = /^https?:\/\/[!-~]+$/;

/**
 * A text in the reader's language or, where it was not published in that, in the first of the
 * organisation's; and which language that is.
 * @param {Words | undefined} words
 * @param {string} language
 * @param {readonly string[]} others in the organisation's order
 * @returns {{text: string, language: string}}
 */
export function spoken(words = {}, language, others) {
  const found = [language, ...others, ...Object.keys(words)].find((each) => words[each]);
  return found === undefined ? { text: "", language } : { text: words[found], language: found };
}

/**
 * A plain date as a text names it, without the day of the week.
 * @param {string} day such as 2026-11-27
 * @param {string} language
 */
export function dated(day, language) {
  return inWords(`${day}T12:00:00Z`, language, "UTC").date;
}

/**
 * What `tel:` takes of a number as it is written.
 * @param {string} number
 */
export function dialled(number) {
  return `tel:${number.replace(/[^0-9+]/g, "")}`;
}

/**
 * An element that says a text, marked where it is in another language than the page.
 * @param {string} tag
 * @param {Words | undefined} words
 * @param {Speech} speech
 */
export function saying(tag, words, speech) {
  const element = document.createElement(tag);
  const { text, language } = spoken(words, speech.language, speech.others);
  element.textContent = text;
  if (language !== speech.language) element.lang = language;
  return element;
}

/**
 * @param {Block} block
 * @param {Speech} speech
 * @returns {Node}
 */
export function drawn(block, speech) {
  switch (block.kind) {
    case "heading":
      return saying("h3", block.text, speech);
    case "warning":
      return warning(block.text, speech);
    case "list":
      return list(block.items, block.numbered === true, speech);
    case "contact":
      return contact(block, speech);
    default:
      return saying("p", block.text, speech);
  }
}

/**
 * @param {Words} text
 * @param {Speech} speech
 */
function warning(text, speech) {
  const box = clone("warning");
  find(box, "[data-label]").textContent = speech.t("information.warning");
  find(box, "[data-text]").replaceWith(saying("p", text, speech));
  return box;
}

/**
 * @param {Words[]} items
 * @param {boolean} numbered
 * @param {Speech} speech
 */
function list(items, numbered, speech) {
  const whole = document.createElement(numbered ? "ol" : "ul");
  whole.append(...items.map((words) => saying("li", words, speech)));
  return whole;
}

/**
 * @param {Contact} one
 * @param {Speech} speech
 */
function contact(one, speech) {
  const card = clone("contact");
  find(card, "[data-name]").replaceWith(saying("h3", one.name, speech));
  const about = find(card, "[data-about]");
  if (one.about === undefined) about.remove();
  else about.replaceWith(saying("p", one.about, speech));
  const rows = [
    row("address", [one.address && saying("span", one.address, speech)], speech),
    row("hours", [one.hours && saying("span", one.hours, speech)], speech),
    row("phone", (one.phones ?? []).map((each) => phone(each, speech)), speech),
    row("fax", [one.fax && plain(one.fax)], speech),
    row("email", [one.email && link(`mailto:${one.email}`, one.email)], speech),
    row("site", (one.sites ?? []).map((each) => site(each, speech)), speech),
  ];
  find(card, "[data-rows]").append(...rows.filter((each) => each !== null));
  const checked = find(card, "[data-checked]");
  if (one.checked_on === undefined) checked.remove();
  else checked.textContent = speech.t("information.checked", { day: dated(one.checked_on, speech.language) });
  return card;
}

/**
 * @param {"address" | "hours" | "phone" | "fax" | "email" | "site"} name
 * @param {(HTMLElement | "" | undefined)[]} values
 * @param {Speech} speech
 */
function row(name, values, speech) {
  const there = values.filter((each) => each instanceof HTMLElement);
  if (there.length === 0) return null;
  const line = clone("row");
  find(line, "dt").textContent = speech.t(LABELS[name]);
  find(line, "dd").append(...there);
  return line;
}

const LABELS = {
  address: "information.address",
  hours: "information.hours",
  phone: "information.phone",
  fax: "information.fax",
  email: "information.email",
  site: "information.site",
};

/**
 * @param {Phone} one
 * @param {Speech} speech
 */
function phone(one, speech) {
  return noted(link(dialled(one.number), one.number), one.note, speech);
}

/**
 * @param {Site} one
 * @param {Speech} speech
 */
function site(one, speech) {
  return noted(outside(one.address), one.note, speech);
}

/**
 * @param {HTMLElement} element
 * @param {Words | undefined} note
 * @param {Speech} speech
 */
function noted(element, note, speech) {
  const whole = document.createElement("span");
  whole.append(element);
  if (note !== undefined) whole.append(" – ", saying("span", note, speech));
  return whole;
}

/**
 * A link to somebody else's site; plain text where it is no address.
 * @param {string} address
 */
export function outside(address) {
  if (!WEB.test(address)) return plain(address);
  const made = link(address, address.replace(/^https?:\/\/|\/$/g, ""));
  made.setAttribute("rel", "noopener noreferrer");
  return made;
}

/**
 * @param {string} target
 * @param {string} text
 */
function link(target, text) {
  const made = document.createElement("a");
  made.setAttribute("href", target);
  made.textContent = text;
  return made;
}

/** @param {string} text */
function plain(text) {
  const made = document.createElement("span");
  made.textContent = text;
  return made;
}
