// @ts-check
/**
 * What an organisation tells clients of their rights (M89-M109): fetched once in all its languages, so
 * that another language needs no other answer, and keeps the reader's place.
 */

import { post, Refused } from "./api.mjs";
import { find, findAll } from "./dom.mjs";
import { onLanguageChosen } from "./language-switch.mjs";
import { preferred } from "./languages.mjs";
import { isOrganisation } from "./link.mjs";
import { Screen } from "./screen.mjs";
import { dated, drawn, outside, saying } from "./sections.mjs";
import { words } from "./words.mjs";

/** @typedef {import("./sections.mjs").Words} Words */
/** @typedef {import("./sections.mjs").Speech} Speech */
/**
 * @typedef {object} Section
 * @property {string} key
 * @property {string} effective_from
 * @property {{number: string, on: string} | null} order
 * @property {Words} titles
 * @property {import("./sections.mjs").Block[]} blocks
 */
/**
 * What `information` answers.
 * @typedef {object} Information
 * @property {{name: string, address: string, email: string, phone: string}} organisation
 * @property {string[]} languages
 * @property {string} on
 * @property {number} version
 * @property {string} effective_from
 * @property {Section[]} sections
 * @property {Words} membership
 * @property {string} agents_register
 * @property {string} complaint
 */

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export class InformationPage {
  /**
   * @param {string} org
   * @param {string | null} language that the address asks for
   * @param {string | null} day for which it asks
   */
  constructor(org, language, day) {
    this.org = org;
    this.day = day !== null && DAY.test(day) ? day : null;
    this.language = preferred(language === null ? navigator.languages : [language, ...navigator.languages]);
    this.screen = new Screen(find(document, "#screen"));
    /** @type {Information | null} */
    this.information = null;
  }

  async open() {
    onLanguageChosen((language) => {
      this.language = language;
      history.replaceState(null, "", this.address());
      void this.speak();
    });
    if (!isOrganisation(this.org)) return this.end("unknown");
    const guess = words(this.language).then(() => this.speak());
    await Promise.all([this.load(), guess]).catch(() => document.body.classList.add("stalled"));
  }

  async load() {
    try {
      const asked = this.day === null ? {} : { on: this.day };
      this.information = await post(`/api/public/${this.org}/information`, asked);
    } catch (failure) {
      const refusal = failure instanceof Refused ? failure.refusal : { status: 0, code: "unreachable" };
      if ([404, 422].includes(refusal.status)) return this.end("unknown");
      return this.again(refusal.status === 429);
    }
    await this.speak();
    const { hash } = location;
    this.screen.show("information", (content) => {
      find(content, "[data-print]").addEventListener("click", () => print());
    });
    this.draw();
    if (/^#[a-z_]+$/.test(hash)) document.getElementById(hash.slice(1))?.scrollIntoView();
  }

  /** The page in its language, with all that was fetched in several. */
  async speak() {
    const { language } = this;
    const t = await words(language);
    if (language !== this.language) return;
    this.screen.speak(language, t, this.facts(t));
    this.draw();
  }

  /**
   * @param {import("./i18n.mjs").Translate} t
   * @returns {import("./i18n.mjs").Values}
   */
  facts(t) {
    if (this.information === null) return { controller: "Duly" };
    const { organisation, on, version } = this.information;
    const { name, address, email, phone } = organisation;
    return {
      controller: name,
      address,
      email,
      phone,
      standing: t("information.standing", { day: this.inWords(on), version }),
    };
  }

  /** Everything that was published, in the reader's language; where the reader is stays. */
  draw() {
    const { information, screen } = this;
    if (information === null || screen.t === null || screen.region.dataset.screen !== "information") return;
    const speech = { t: screen.t, language: this.language, others: information.languages };
    const own = this.organisation(information, speech);
    const texts = information.sections.map((each) => this.section(each, speech));
    find(screen.region, "[data-sections]").replaceChildren(...texts, ...(own === null ? [] : [own]));
    const entries = findAll(screen.region, "[data-sections] h2").map((heading) => this.entry(heading));
    find(screen.region, "[data-contents]").replaceChildren(...entries);
    for (const link of findAll(screen.region, "a[data-feedback]")) {
      link.setAttribute("href", `${information.complaint}&lang=${this.language}`);
    }
  }

  /**
   * @param {Section} section
   * @param {Speech} speech
   */
  section(section, speech) {
    const whole = this.part(section.key, saying("h2", section.titles, speech));
    whole.append(...section.blocks.map((block) => drawn(block, speech)), this.since(section, speech));
    return whole;
  }

  /**
   * Since when, and by which order (M109).
   * @param {Section} section
   * @param {Speech} speech
   */
  since({ effective_from: from, order }, { t }) {
    const line = document.createElement("p");
    line.className = "quiet since";
    const said = [t("information.since", { day: this.inWords(from) })];
    if (order !== null) said.push(t("information.order", { number: order.number, day: this.inWords(order.on) }));
    line.textContent = said.join(" ");
    return line;
  }

  /**
   * What the organisation says of itself, where it does (M106, M107).
   * @param {Information} information
   * @param {Speech} speech
   */
  organisation({ membership, agents_register: register }, speech) {
    const member = saying("p", membership, speech);
    if (member.textContent === "" && register === "") return null;
    const heading = document.createElement("h2");
    heading.textContent = speech.t("information.organisation");
    const whole = this.part("organisation", heading);
    if (member.textContent !== "") whole.append(member);
    if (register === "") return whole;
    const line = document.createElement("p");
    line.append(`${speech.t("information.agents")} `, outside(register));
    whole.append(line);
    return whole;
  }

  /**
   * @param {string} key
   * @param {HTMLElement} heading
   */
  part(key, heading) {
    const whole = document.createElement("section");
    whole.id = key;
    heading.id = `${key}-heading`;
    whole.setAttribute("aria-labelledby", heading.id);
    whole.append(heading);
    return whole;
  }

  /** @param {HTMLElement} heading */
  entry(heading) {
    const link = document.createElement("a");
    link.setAttribute("href", `#${heading.id.replace(/-heading$/, "")}`);
    link.textContent = heading.textContent;
    if (heading.lang !== "") link.lang = heading.lang;
    const item = document.createElement("li");
    item.append(link);
    return item;
  }

  /** @param {boolean} many too many attempts */
  again(many) {
    this.end("again", (content) => {
      if (many) find(content, "[data-reason]").dataset.i18n = "again.too_many";
      find(content, "[data-again]").addEventListener("click", () => void this.load(), { once: true });
    });
  }

  /**
   * @param {string} name
   * @param {(content: DocumentFragment) => void} [prepare]
   */
  async end(name, prepare) {
    await this.speak().catch(() => document.body.classList.add("stalled"));
    this.screen.show(name, prepare);
  }

  /** @param {string} day */
  inWords(day) {
    return dated(day, this.language);
  }

  address() {
    const asked = new URLSearchParams({ org: this.org, lang: this.language });
    if (this.day !== null) asked.set("on", this.day);
    return `${location.pathname}?${asked}${location.hash}`;
  }
}
