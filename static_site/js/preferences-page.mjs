// @ts-check
/**
 * A client's own consents: every one in its words, and a box to withdraw it, none ticked beforehand
 * (S57; GDPR Art. 7(3)). Opening changes nothing; one button sends what a person ticked (R1, R4).
 */

import { post } from "./api.mjs";
import { clone, find, findAll } from "./dom.mjs";
import { LinkedPage, refusalOf } from "./linked-page.mjs";
import { orgOf } from "./link.mjs";
import { dayInWords } from "./moment.mjs";
import { ending } from "./outcome.mjs";
import { clearProblems, showProblems } from "./problems.mjs";
import { said } from "./refusals.mjs";
import { split } from "./wording.mjs";

/**
 * @typedef {object} Consent
 * @property {string} purpose
 * @property {Record<string, string>} titles
 * @property {Record<string, string>} texts
 * @property {string} state
 * @property {string | null} decided_on
 * @property {string | null} expires_on
 * @property {boolean} can_be_added
 */
/**
 * What `preferences/read` answers.
 * @typedef {object} Preferences
 * @property {string} language
 * @property {string[]} languages
 * @property {{name: string, address: string, email: string, phone: string}} controller
 * @property {string} client_name
 * @property {Consent[]} consents
 */

const STATES = /** @type {Record<string, string>} */ ({
  none: "preferences.state.none",
  given: "preferences.state.given",
  refused: "preferences.state.refused",
  withdrawn: "preferences.state.withdrawn",
  expired: "preferences.state.expired",
  awaiting_email: "preferences.state.awaiting_email",
  awaiting_signature: "preferences.state.awaiting_signature",
});

export class PreferencesPage extends LinkedPage {
  /** @param {string} token */
  constructor(token) {
    super(token);
    /** @type {Preferences | null} */
    this.preferences = null;
    this.done = false;
  }

  /** @override */
  async read() {
    this.preferences = await this.quietly("opening.heading", "opening.slow", () => this.ask("read"));
    return /** @type {Preferences} */ (this.preferences);
  }

  /** @override */
  present() {
    const { consents } = /** @type {Preferences} */ (this.preferences);
    this.screen.show("consents", (content) => {
      find(content, "[data-note]").hidden = !this.done;
      find(content, "[data-consents]").append(...consents.map(row));
      const first = content.querySelector("[data-consents] .radio");
      if (first !== null) name(first, "choice");
      for (const element of findAll(content, "legend, [type=submit]")) element.hidden = first === null;
      const all = find(content, "[data-all]");
      all.hidden = !consents.some(({ state }) => state === "given");
      all.addEventListener("click", () => void this.send(given(consents), []));
      find(content, "form").addEventListener("submit", (event) => {
        event.preventDefault();
        const chosen = new FormData(/** @type {HTMLFormElement} */ (event.target));
        void this.send(chosen.getAll("withdraw").map(String), chosen.getAll("add").map(String));
      });
    });
    this.localise();
  }

  /** @override */
  localise() {
    if (this.preferences === null) return;
    const known = new Map(this.preferences.consents.map((one) => [one.purpose, one]));
    for (const item of findAll(this.screen.region, "[data-purpose]")) {
      const consent = known.get(item.dataset.purpose ?? "");
      if (consent !== undefined) speak(item, consent, this.language);
    }
  }

  /**
   * @param {string[]} withdraw
   * @param {string[]} add
   */
  async send(withdraw, add) {
    if (this.busy) return;
    if (withdraw.length + add.length === 0) {
      return showProblems(this.screen, [{ key: "preferences.nothing", field: "choice" }]);
    }
    clearProblems(this.screen);
    try {
      const act = () => this.ask("act", { withdraw, add });
      this.preferences = await this.quietly("decision.sending", "decision.sending_slow", act);
    } catch (failure) {
      return this.refused(refusalOf(failure));
    }
    this.done = true;
    await this.speak();
    this.present();
  }

  /** @param {import("./outcome.mjs").Refusal} refusal */
  async refused(refusal) {
    const end = ending(refusal);
    if (end !== null) return this.end(end);
    showProblems(this.screen, [{ key: said(refusal).key }]);
  }

  /** @override */
  facts() {
    if (this.preferences === null) return { controller: "Duly" };
    const { controller, client_name: client } = this.preferences;
    const { name, address, email, phone } = controller;
    return { controller: name, address, email, phone, client };
  }

  /**
   * @override
   * @param {string} route below `preferences/`
   * @param {object} body
   * @returns {Promise<any>}
   */
  ask(route, body = {}) {
    return post(`/api/public/${orgOf(this.token)}/preferences/${route}`, { token: this.token, ...body });
  }
}

/** @param {readonly Consent[]} consents */
function given(consents) {
  return consents.filter(({ state }) => state === "given").map(({ purpose }) => purpose);
}

/**
 * A consent with what can be done about it now: withdraw it, ask for it, or nothing.
 * @param {Consent} consent
 */
function row({ purpose, state, can_be_added: canBeAdded }) {
  const item = clone("consent");
  find(item, "li").dataset.purpose = purpose;
  const shown = find(item, "[data-said]");
  shown.dataset.said = state === "given" ? "yes" : "no";
  find(shown, "[data-i18n]").dataset.i18n = STATES[state];
  const choice = find(item, ".radio");
  if (state !== "given" && !canBeAdded) {
    choice.remove();
    return item;
  }
  name(choice, `choice-${purpose}`);
  const box = /** @type {HTMLInputElement} */ (find(choice, "[data-choice]"));
  box.value = purpose;
  box.name = state === "given" ? "withdraw" : "add";
  if (state !== "given") find(choice, "[data-choice-label]").dataset.i18n = "preferences.add";
  return item;
}

/**
 * @param {Element} choice
 * @param {string} id
 */
function name(choice, id) {
  find(choice, "[data-choice]").id = id;
  find(choice, "[data-choice-label]").setAttribute("for", id);
}

/**
 * The words of a consent in this language, or in one that there is.
 * @param {HTMLElement} item
 * @param {Consent} consent
 * @param {string} language
 */
function speak(item, { titles, texts, decided_on: decided, expires_on: expires }, language) {
  const spoken = language in titles ? language : Object.keys(titles)[0];
  const title = find(item, "[data-title]");
  title.textContent = titles[spoken] ?? "";
  title.lang = spoken;
  const text = find(item, "[data-text]");
  const { opening, rest } = split(texts[spoken] ?? "");
  text.replaceChildren(...[...opening, ...rest].map(paragraph));
  text.lang = spoken;
  const since = find(item, "[data-since]");
  const days = [decided, expires].filter((day) => day !== null);
  since.hidden = days.length === 0;
  const whole = days.map((day) => dayInWords(day, language, "long").replaceAll(" ", "\u00a0"));
  since.textContent = whole.join(" – ");
}

/** @param {import("./wording.mjs").Block} block */
function paragraph(block) {
  if (block.kind === "paragraph") {
    const made = document.createElement("p");
    made.textContent = block.text;
    return made;
  }
  const list = document.createElement("ul");
  for (const line of block.items) {
    const entry = document.createElement("li");
    entry.textContent = line;
    list.append(entry);
  }
  return list;
}
