// @ts-check
import { findAll } from "./dom.mjs";

/**
 * The three buttons in the page's head.
 * @param {(language: string) => void} choose
 */
export function onLanguageChosen(choose) {
  for (const button of findAll(document, "[data-language]")) {
    button.addEventListener("click", () => choose(button.dataset.language ?? "en"));
  }
}

/**
 * Tells the page, its switch and its links to other pages which language is spoken now. Links carry
 * it along in the address, because nothing is stored.
 * @param {string} language
 */
export function showLanguage(language) {
  document.documentElement.lang = language;
  for (const button of findAll(document, "[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
  for (const link of findAll(document, "a[data-carries-language]")) {
    const { pathname } = new URL(/** @type {HTMLAnchorElement} */ (link).href);
    link.setAttribute("href", `${pathname}?lang=${language}`);
  }
}
