// @ts-check
/**
 * Templates of the page, filled with text. Everything becomes a text node or a checked attribute,
 * never markup, so the page lives under Trusted Types without a policy.
 */

/** @typedef {import("./i18n.mjs").Translate} Translate */
/** @typedef {import("./i18n.mjs").Values} Values */

/**
 * @param {string} id
 * @returns {DocumentFragment}
 */
export function clone(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return document.importNode(template.content, true);
}

/**
 * One element that must be there; the selector is ours, so its absence is a mistake of ours.
 * @template {HTMLElement} [E=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {E}
 */
export function find(root, selector) {
  const element = root.querySelector(selector);
  if (element === null) throw new Error(`no ${selector}`);
  return /** @type {E} */ (element);
}

/**
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement[]}
 */
export function findAll(root, selector) {
  return Array.from(root.querySelectorAll(selector));
}

/**
 * Puts the words of a language and the facts into everything below `root`; may be repeated in another
 * language, which touches neither what was chosen nor where the focus is.
 * @param {ParentNode} root
 * @param {Translate} t
 * @param {Values} facts
 */
export function fill(root, t, facts) {
  for (const element of findAll(root, "[data-i18n]")) {
    const { i18n = "", count } = element.dataset;
    element.textContent = t(i18n, count === undefined ? facts : { ...facts, count: Number(count) });
  }
  for (const element of findAll(root, "[data-i18n-label]")) {
    element.setAttribute("aria-label", t(element.dataset.i18nLabel ?? "", facts));
  }
  for (const element of findAll(root, "[data-fact]")) {
    element.textContent = String(facts[element.dataset.fact ?? ""] ?? "");
    element.hidden = element.textContent === "";
  }
}
