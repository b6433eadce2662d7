// @ts-check
/**
 * The page behind the link of an e-mail: read what was declared, let a person choose, send, show the
 * receipt. It asks `links/read` by itself and nothing else; `links/act` and `links/renew` are sent by a
 * press alone, and an act carries the choice that a person made (R3, R4, D14).
 */

import { answerItems } from "./answers.mjs";
import { post, Refused } from "./api.mjs";
import { find, findAll } from "./dom.mjs";
import { factsOf } from "./facts.mjs";
import { onLanguageChosen } from "./language-switch.mjs";
import { LANGUAGES, preferred } from "./languages.mjs";
import { orgOf } from "./link.mjs";
import { complaint, ending, outdated } from "./outcome.mjs";
import { Screen } from "./screen.mjs";
import { words } from "./words.mjs";

/** @typedef {import("./facts.mjs").Reading} Reading */

const SLOW = 4_000;

export class ConfirmPage {
  /** @param {string} token an empty string where the address held none */
  constructor(token) {
    this.token = token;
    this.screen = new Screen(find(document, "#screen"));
    this.language = preferred(navigator.languages);
    this.languageChosen = false;
    this.busy = false;
    /** @type {Reading | null} */
    this.reading = null;
  }

  async open() {
    onLanguageChosen((language) => {
      this.languageChosen = true;
      this.language = language;
      void this.speak();
    });
    addEventListener("beforeprint", () => {
      for (const more of findAll(document, "details")) more.setAttribute("open", "");
    });
    if (this.token === "") return this.end("missing");
    if (orgOf(this.token) === null) return this.end("invalid");
    const guess = words(this.language).then(() => this.speak());
    await Promise.all([this.read(null), guess]).catch(() => this.stall());
  }

  /** Shows the static words in all languages that say what to do when nothing appears. */
  stall() {
    document.body.classList.add("stalled");
  }

  /** The page in its language. */
  async speak() {
    const { language } = this;
    const t = await words(language);
    if (language !== this.language) return;
    this.screen.speak(language, t, factsOf(this.reading, t, language));
  }

  /**
   * Asks what is to be confirmed, and shows it.
   * @param {string | null} note what to say about it
   */
  async read(note) {
    try {
      this.reading = await this.quietly("loading.heading", "loading.slow", () => this.ask("read", {}));
    } catch (failure) {
      const refusal = refusalOf(failure);
      const end = ending(refusal);
      if (end !== null) return this.end(end);
      return this.again(refusal.status === 429 ? "again.too_many" : "again.text", note);
    }
    const declared = /** @type {Reading} */ (this.reading).language;
    if (!this.languageChosen && LANGUAGES.includes(declared)) this.language = declared;
    await this.present(note);
  }

  /**
   * The screen that fits the state of what was read.
   * @param {string | null} note
   */
  async present(note) {
    await this.speak();
    const reading = /** @type {Reading} */ (this.reading);
    if (reading.state === "open" || reading.receipt === null) return this.choice(note);
    if (reading.receipt.decision === "disputed") return this.disputed();
    return this.registered(note);
  }

  /** @param {string | null} note */
  choice(note) {
    this.screen.show("choice", (content) => {
      this.list(content);
      find(content, "[data-note]").hidden = note !== "choice.changed";
      find(content, "form").addEventListener("submit", (event) => {
        event.preventDefault();
        const chosen = new FormData(/** @type {HTMLFormElement} */ (event.target)).get("decision");
        void this.send(chosen === null ? null : String(chosen));
      });
    });
  }

  /** @param {string | null} note */
  registered(note) {
    this.screen.show("registered", (content) => {
      this.list(content);
      find(content, "[data-note]").hidden = note !== "registered.already";
      find(content, "[data-print]").addEventListener("click", () => window.print());
    });
  }

  disputed() {
    this.screen.show("disputed", (content) => {
      find(content, "[data-back]").addEventListener("click", () => this.choice(null));
    });
  }

  /** @param {DocumentFragment} content */
  list(content) {
    const { answers, language } = /** @type {Reading} */ (this.reading);
    find(content, "[data-answers]").append(...answerItems(answers, language));
  }

  /**
   * Sends the decision. Whatever goes wrong on the way, the choice stays, and sending it again is safe:
   * the same decision gets the same receipt (R5).
   * @param {string | null} decision
   */
  async send(decision) {
    if (this.busy) return;
    if (decision === null) return this.screen.complain("error.decision_missing", "decision-confirm");
    this.screen.calm();
    const reading = /** @type {Reading} */ (this.reading);
    try {
      const act = () => this.ask("act", { decision, digest: reading.digest });
      const { receipt } = await this.quietly("decision.sending", "decision.sending_slow", act);
      this.reading = { ...reading, state: receipt.decision, receipt };
    } catch (failure) {
      return this.refused(refusalOf(failure));
    }
    await this.present(null);
  }

  /** @param {import("./outcome.mjs").Refusal} refusal */
  async refused(refusal) {
    const end = ending(refusal);
    if (end !== null) return this.end(end);
    const note = outdated(refusal);
    if (note !== null) return this.read(note);
    const key = complaint(refusal);
    this.screen.complain(key, key === "error.decision_missing" ? "decision-confirm" : undefined);
  }

  /**
   * A page on which the link ends.
   * @param {string} name
   */
  async end(name) {
    await this.speak();
    this.screen.show(name, (content) => {
      for (const button of findAll(content, "[data-renew]")) {
        button.addEventListener("click", () => void this.renew());
      }
    });
  }

  async renew() {
    if (this.busy) return;
    this.screen.calm();
    try {
      await this.quietly("decision.sending", "decision.sending_slow", () => this.ask("renew", {}));
    } catch (failure) {
      return this.screen.complain("error.renew_failed");
    }
    this.screen.show("renewed");
  }

  /**
   * @param {string} reason
   * @param {string | null} note
   */
  async again(reason, note) {
    await this.speak();
    this.screen.show("again", (content) => {
      find(content, "[data-reason]").dataset.i18n = reason;
      find(content, "[data-again]").addEventListener("click", () => {
        if (!this.busy) this.read(note).catch(() => this.stall());
      });
    });
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
   * @param {"read" | "act" | "renew"} what
   * @param {object} body
   * @returns {Promise<any>}
   */
  ask(what, body) {
    return post(`/api/public/${orgOf(this.token)}/links/${what}`, { token: this.token, ...body });
  }
}

/** @param {unknown} failure */
function refusalOf(failure) {
  if (failure instanceof Refused) return failure.refusal;
  throw failure;
}
