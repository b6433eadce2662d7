// @ts-check
/**
 * What the pages behind a link of a complaint share: the token, the language, waiting, and the pages on
 * which a link ends. The token is in memory alone (R18).
 */

import { post, Refused } from "./api.mjs";
import { find } from "./dom.mjs";
import { onLanguageChosen } from "./language-switch.mjs";
import { LANGUAGES, preferred } from "./languages.mjs";
import { orgOf } from "./link.mjs";
import { ending } from "./outcome.mjs";
import { Screen } from "./screen.mjs";
import { words } from "./words.mjs";

/** @typedef {import("./outcome.mjs").Refusal} Refusal */

const SLOW = 4_000;

export class LinkedPage {
  /** @param {string} token an empty string where the address held none */
  constructor(token) {
    this.token = token;
    this.screen = new Screen(find(document, "#screen"));
    this.language = preferred(navigator.languages);
    this.languageChosen = false;
    this.busy = false;
  }

  async open() {
    onLanguageChosen((language) => {
      this.languageChosen = true;
      this.language = language;
      void this.speak();
    });
    if (this.token === "") return this.end("missing");
    if (orgOf(this.token) === null) return this.end("invalid");
    const guess = words(this.language).then(() => this.speak());
    await Promise.all([this.load(), guess]).catch(() => document.body.classList.add("stalled"));
  }

  /** The page in its language. */
  async speak() {
    const { language } = this;
    const t = await words(language);
    if (language !== this.language) return;
    this.screen.speak(language, t, this.facts(t));
    this.localise();
  }

  /** Asks, and shows what came, or the page on which the link ends. */
  async load() {
    try {
      const { language } = await this.read();
      if (!this.languageChosen && LANGUAGES.includes(language)) this.language = language;
    } catch (failure) {
      return this.failed(refusalOf(failure));
    }
    await this.speak();
    this.present();
  }

  /** @param {Refusal} refusal */
  async failed(refusal) {
    const end = ending(refusal);
    if (end !== null) return this.end(end);
    await this.speak();
    this.screen.show("again", (content) => {
      find(content, "[data-reason]").dataset.i18n = refusal.status === 429 ? "again.too_many" : "again.text";
      find(content, "[data-again]").addEventListener("click", () => {
        if (!this.busy) this.load().catch(() => document.body.classList.add("stalled"));
      });
    });
  }

  /** @param {string} name */
  async end(name) {
    await this.speak();
    this.screen.show(name);
  }

  /** @returns {Promise<{language: string}>} what the link leads to */
  async read() {
    throw new Error("a page reads something");
  }

  /** Shows what was read. */
  present() {}

  /** Words that came with what was read, in the language of the page. */
  localise() {}

  /**
   * @param {import("./i18n.mjs").Translate} _t
   * @returns {import("./i18n.mjs").Values}
   */
  facts(_t) {
    return { controller: "Duly" };
  }

  /**
   * Waits for an answer, says so, and says so again when it takes long.
   * @template T
   * @param {string} waiting
   * @param {string} slow
   * @param {() => Promise<T>} act
   * @returns {Promise<T>}
   */
  async quietly(waiting, slow, act) {
    this.busy = true;
    this.screen.murmur(waiting);
    const timer = setTimeout(() => this.screen.murmur(slow), SLOW);
    try {
      return await act();
    } finally {
      clearTimeout(timer);
      this.screen.murmur(null);
      this.busy = false;
    }
  }

  /**
   * @param {string} route below `complaints/`
   * @param {object} body
   * @returns {Promise<any>}
   */
  ask(route, body = {}) {
    return post(`/api/public/${orgOf(this.token)}/complaints/${route}`, { token: this.token, ...body });
  }
}

/** @param {unknown} failure @returns {Refusal} */
export function refusalOf(failure) {
  if (failure instanceof Refused) return failure.refusal;
  throw failure;
}
