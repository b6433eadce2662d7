// @ts-check
/**
 * The one place of the page that changes. A new screen takes the focus to its heading and gives the
 * page its title, so that nobody has to see a change to notice it.
 */

import { clone, fill, find, findAll } from "./dom.mjs";
import { showLanguage } from "./language-switch.mjs";

/** @typedef {import("./i18n.mjs").Translate} Translate */
/** @typedef {import("./i18n.mjs").Values} Values */

export class Screen {
  /** @param {HTMLElement} region */
  constructor(region) {
    this.region = region;
    /** @type {Translate | null} */
    this.t = null;
    this.facts = /** @type {Values} */ ({});
  }

  /**
   * Speaks a language from now on, whatever is on the page.
   * @param {string} language
   * @param {Translate} t
   * @param {Values} facts
   */
  speak(language, t, facts) {
    this.t = t;
    this.facts = facts;
    showLanguage(language);
    this.refresh();
  }

  /** Words, facts and title anew; choice and focus stay. */
  refresh() {
    if (this.t === null) return;
    fill(document, this.t, this.facts);
    find(document, ".controller").hidden = this.facts.address === undefined;
    for (const link of findAll(document, "a[data-scheme]")) {
      link.setAttribute("href", address(link.dataset.scheme ?? "", link.textContent ?? ""));
    }
    const heading = this.region.querySelector("h1[data-i18n]");
    if (heading === null) return;
    const named = { ...this.facts, title: heading.textContent ?? "" };
    const title = this.t("title.page", named);
    const wrong = this.region.querySelector(".error-summary") !== null;
    document.title = wrong ? this.t("error.prefix", { title }) : title;
  }

  /**
   * @param {string} name of a template `screen-<name>`
   * @param {(content: DocumentFragment) => void} [prepare]
   */
  show(name, prepare = () => {}) {
    const content = clone(`screen-${name}`);
    prepare(content);
    this.region.replaceChildren(content);
    this.region.dataset.screen = name;
    this.refresh();
    window.scrollTo(0, 0);
    find(this.region, "h1").focus();
  }

  /**
   * The error summary above the heading, focused. With a field it links there and the field repeats it.
   * @param {string} key
   * @param {string} [field] id of the first control that can put it right
   */
  complain(key, field) {
    this.calm();
    const content = clone("error-summary");
    const link = find(content, "[data-link]");
    const plain = find(content, "[data-plain]");
    (field === undefined ? plain : link).dataset.i18n = key;
    (field === undefined ? link : plain).remove();
    if (field !== undefined) {
      link.setAttribute("href", `#${field}`);
      link.addEventListener("click", (event) => {
        event.preventDefault();
        find(this.region, `#${field}`).focus();
      });
      this.mark(true);
    }
    this.region.prepend(content);
    this.refresh();
    find(this.region, ".error-summary").focus();
  }

  /** Takes an earlier error away. */
  calm() {
    this.region.querySelector(".error-summary")?.remove();
    this.mark(false);
  }

  /** @param {boolean} wrong */
  mark(wrong) {
    for (const message of findAll(this.region, "[data-error]")) {
      message.hidden = !wrong;
      const group = /** @type {HTMLElement} */ (message.closest("fieldset"));
      if (wrong) group.setAttribute("aria-describedby", message.id);
      else group.removeAttribute("aria-describedby");
      group.closest("[data-group]")?.classList.toggle("wrong", wrong);
    }
  }

  /**
   * A quiet word to everyone, read out by a screen reader; null takes it back.
   * @param {string | null} key
   */
  murmur(key) {
    const place = this.region.querySelector("[role=status]") ?? find(document, "#status");
    const { dataset } = /** @type {HTMLElement} */ (place);
    if (key === null) delete dataset.i18n;
    else dataset.i18n = key;
    place.textContent = key === null || this.t === null ? "" : this.t(key, this.facts);
  }
}

/**
 * @param {string} scheme `mailto` or `tel`
 * @param {string} text
 */
function address(scheme, text) {
  if (scheme === "tel") return `tel:${text.replace(/[^0-9+]/g, "")}`;
  return `mailto:${encodeURIComponent(text).replace("%40", "@")}`;
}
