// @ts-check
/**
 * The public form: fill in, attach, send, and the page that says what happens next (M2, M5-M13, M46).
 * A draft stays in this browser until it is sent. The proof of work is done meanwhile and never in the
 * way. The same act may be sent again safely: until its fate is known it keeps its proof.
 */

import { post, Refused } from "./api.mjs";
import { Attachments } from "./attachments.mjs";
import { find, findAll } from "./dom.mjs";
import { Draft } from "./draft.mjs";
import { onLanguageChosen } from "./language-switch.mjs";
import { preferred } from "./languages.mjs";
import { isOrganisation } from "./link.mjs";
import { dayInWords, inWords } from "./moment.mjs";
import { clearProblems, noteProblem, showProblems } from "./problems.mjs";
import { Proof } from "./proof.mjs";
import { aboutProof, said } from "./refusals.mjs";
import { Screen } from "./screen.mjs";
import { solve } from "./solve.mjs";
import { length, mayBeAboutData, missing, MOST_CHARACTERS, submission } from "./submission.mjs";
import { Uploads } from "./uploads.mjs";
import { words } from "./words.mjs";

/** @typedef {import("./outcome.mjs").Refusal} Refusal */
/** @typedef {import("./submission.mjs").Fields} Fields */
/** @typedef {Record<string, string>} Texts by language */
/**
 * What `complaints/form` answers.
 * @typedef {object} Form
 * @property {{name: string, address: string, email: string, phone: string}} organisation
 * @property {string[]} languages
 * @property {{code: string, titles: Texts}[]} products
 * @property {string[]} reply_forms
 * @property {import("./submission.mjs").Scopes} scopes
 * @property {{wording_id: string, texts: Record<string, {title: string, text: string}>}} email_consent
 * @property {number} most_files
 * @property {number} most_file_bytes
 * @property {number} most_bytes
 * @property {import("./solve.mjs").Challenge} challenge
 * @property {number} challenge_seconds
 */
/**
 * What `complaints` answers.
 * @typedef {object} Receipt
 * @property {string} reference
 * @property {string} received_at
 * @property {string} status_link
 * @property {string} register_on
 * @property {string | null} answer_by
 * @property {string} why
 * @property {"email" | "post" | "none"} acknowledgement
 */

const SLOW = 4_000;
const KEEP_AFTER = 400;
const COUNT_FROM = MOST_CHARACTERS - 2_000;

export class ComplaintPage {
  /**
   * @param {string} org
   * @param {string | null} language that the address asks for
   */
  constructor(org, language) {
    this.org = org;
    this.language = preferred(language === null ? navigator.languages : [language, ...navigator.languages]);
    this.screen = new Screen(find(document, "#screen"));
    this.draft = new Draft(org);
    this.fields = /** @type {Fields} */ ({});
    this.began = Date.now();
    this.busy = false;
    this.written = false;
    this.attempts = /** @type {ReturnType<typeof submission>[]} */ ([]);
    /** @type {Form | null} */
    this.form = null;
    /** @type {Form["organisation"] | null} */
    this.organisation = null;
    /** @type {Receipt | null} */
    this.receipt = null;
    this.proof = new Proof(() => this.ask("complaints/challenge", {}), solve);
    this.uploads = new Uploads(
      (file) => this.sign(file),
      () => this.attachments?.show(),
    );
  }

  async open() {
    onLanguageChosen((language) => {
      this.language = language;
      void this.speak();
    });
    addEventListener("pagehide", () => this.keep());
    if (!isOrganisation(this.org)) return this.end("unknown");
    const guess = words(this.language).then(() => this.speak());
    await Promise.all([this.load(), guess]).catch(() => document.body.classList.add("stalled"));
  }

  /** The page in its language, with all that was fetched in several. */
  async speak() {
    const { language } = this;
    const t = await words(language);
    if (language !== this.language) return;
    this.screen.speak(language, t, this.facts(t));
    this.localise();
  }

  async load() {
    try {
      const form = await this.quietly("complaint.loading", "complaint.loading", () => this.ask("complaints/form", {}));
      this.form = form;
      this.organisation = form.organisation;
      void this.proof.adopt(form).catch(() => {});
    } catch (failure) {
      const refusal = refusalOf(failure);
      if (refusal.status === 404) return this.end("unknown");
      if (refusal.status === 429) void this.otherWays();
      return this.again(refusal.status === 429);
    }
    const kept = this.draft.read();
    if (kept !== null) this.fields = kept.fields;
    await this.speak();
    this.show(kept !== null);
    this.stayFresh();
  }

  /**
   * Over the limit before the form has named any other way: what clients are told of their rights names
   * them, too, and has a limit of its own. Until that is there the page points to the policy.
   */
  async otherWays() {
    const told = await this.ask("information", {}).catch(() => null);
    if (told === null) return;
    this.organisation ??= told.organisation;
    this.screen.region.querySelector("[data-channels]")?.removeAttribute("hidden");
    await this.speak();
  }

  /** A new challenge before the old one ends, as long as somebody writes. */
  stayFresh() {
    setInterval(() => {
      if (!this.written || this.busy || !this.proof.stale || this.receipt !== null) return;
      this.written = false;
      this.proof.renew().catch(() => {});
    }, 20_000);
  }

  /** @param {boolean} restored */
  show(restored) {
    const form = /** @type {Form} */ (this.form);
    const limits = { most: form.most_files, bytes: form.most_file_bytes, together: form.most_bytes };
    this.attachments = new Attachments(
      this.uploads,
      limits,
      (key) => noteProblem(this.screen, "files", key),
      () => this.screen.refresh(),
    );
    this.screen.show("form", (content) => {
      this.offer(content, form);
      const element = find(content, "form");
      restore(element, this.fields);
      this.reveal(content);
      find(content, "[data-restored]").hidden = !restored;
      element.addEventListener("input", () => this.changed());
      element.addEventListener("change", () => this.changed());
      element.addEventListener("submit", (event) => {
        event.preventDefault();
        void this.send();
      });
      for (const button of findAll(content, "[data-forget]")) {
        button.addEventListener("click", () => this.forget());
      }
    });
    this.attachments.attach(this.screen.region);
    this.localise();
  }

  /**
   * What this organisation and its rules offer.
   * @param {DocumentFragment} content
   * @param {Form} form
   */
  offer(content, form) {
    const products = find(content, "#product");
    for (const { code } of form.products) {
      const option = document.createElement("option");
      option.value = code;
      products.append(option);
    }
    const forms = findAll(content, "[data-reply-form]");
    for (const one of forms) one.hidden = !form.reply_forms.includes(one.dataset.replyForm ?? "");
    find(content, "[data-reply-forms]").hidden = form.reply_forms.length === 0;
  }

  /** Words that came with the form, in the language of the page or else in the first that there is. */
  localise() {
    const { form, language } = this;
    const options = findAll(this.screen.region, "#product option[value]:not([value=''])");
    if (form === null || options.length === 0) return;
    for (const option of options) {
      const { titles } = /** @type {Form["products"][0]} */ (
        form.products.find(({ code }) => code === /** @type {HTMLOptionElement} */ (option).value)
      );
      option.textContent = titles[language] ?? Object.values(titles)[0];
    }
    const spoken = language in form.email_consent.texts ? language : Object.keys(form.email_consent.texts)[0];
    const { title, text } = form.email_consent.texts[spoken];
    for (const [place, words] of [["[data-consent-title]", title], ["[data-consent-text]", text]]) {
      const element = find(this.screen.region, place);
      delete element.dataset.i18n;
      element.textContent = words;
      element.lang = spoken;
    }
  }

  changed() {
    this.written = true;
    this.fields = fieldsOf(find(this.screen.region, "form"));
    this.reveal(this.screen.region);
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.keep(), KEEP_AFTER);
  }

  keep() {
    clearTimeout(this.keeping);
    if (this.receipt !== null) return;
    const kept = Object.values(this.fields).some((value) => value !== "");
    if (kept) this.draft.keep(this.fields);
    else this.draft.forget();
  }

  /** @param {ParentNode} root */
  reveal(root) {
    const { scopes } = /** @type {Form} */ (this.form);
    find(root, "#about-data").hidden = !mayBeAboutData(this.fields, scopes);
    find(root, "#insured").hidden = this.fields.about !== "other";
    find(root, "#contact").hidden = this.fields.anonymous === "on";
    find(root, "#anonymous-note").hidden = this.fields.anonymous !== "on";
    find(root, "#reply").hidden = this.fields.anonymous === "on";
    this.count(root);
  }

  /** @param {ParentNode} root */
  count(root) {
    const written = length(this.fields.substance ?? "");
    const counter = find(root, "#substance-count");
    counter.hidden = written < COUNT_FROM;
    const left = MOST_CHARACTERS - written;
    counter.dataset.i18n = left < 0 ? "complaint.too_many_characters" : "complaint.characters_left";
    counter.dataset.count = String(Math.abs(left));
    if (!counter.hidden) this.screen.refresh();
  }

  forget() {
    clearTimeout(this.keeping);
    for (const { slot } of this.uploads.all) this.uploads.remove(slot);
    this.draft.forget();
    this.fields = {};
    this.show(false);
    this.screen.murmur("draft.deleted");
  }

  async send() {
    if (this.busy) return;
    this.changed();
    this.keep();
    clearProblems(this.screen);
    const waiting = this.uploads.all.length - this.uploads.count.failed;
    const before = missing(this.fields, { ready: waiting, failed: this.uploads.count.failed });
    if (before.length > 0) return showProblems(this.screen, before);
    let problem = null;
    try {
      await this.quietly("complaint.sending", "complaint.sending_slow", async () => {
        await this.uploads.settled();
        problem = missing(this.fields, this.uploads.count)[0] ?? null;
        if (problem === null) this.receipt = await this.deliver();
      });
    } catch (failure) {
      return this.refused(failure);
    }
    if (problem !== null) return showProblems(this.screen, [problem]);
    if (this.changedSince !== true) this.draft.forget();
    await this.sent();
  }

  /**
   * Sends it: with a new proof if the time of this one is over, or asks what came of it if this proof
   * was spent on the words as they were before.
   * @returns {Promise<Receipt>}
   */
  async deliver() {
    const proof = this.attempts[0]?.proof ?? (await this.proof.fresh());
    const body = this.composed(proof);
    try {
      return await this.submit(body);
    } catch (failure) {
      const todo = failure instanceof Refused ? aboutProof(failure.refusal) : null;
      if (todo === "renew") {
        this.attempts = [];
        return this.submit({ ...body, proof: await this.proof.renew() });
      }
      if (todo === "first") return this.first();
      throw failure;
    }
  }

  /** @param {ReturnType<typeof submission>} body */
  async submit(body) {
    try {
      return await this.ask("complaints", body);
    } catch (failure) {
      const { status } = refusalOf(failure);
      if (status === 0 || status >= 500) this.attempts.push(body);
      throw failure;
    }
  }

  /** An earlier attempt arrived after all: its own answer, and a word that later changes are not in it. */
  async first() {
    for (const body of this.attempts) {
      try {
        const receipt = await this.ask("complaints", body);
        this.changedSince = true;
        return receipt;
      } catch (failure) {
        if (aboutProof(refusalOf(failure)) !== "first") throw failure;
      }
    }
    throw new Refused({ status: 409, code: "proof_reused" });
  }

  /** @param {string} proof */
  composed(proof) {
    const form = /** @type {Form} */ (this.form);
    const language = form.languages.includes(this.language) ? this.language : form.languages[0];
    this.attempted = language;
    this.seconds ??= Math.min(86_400, Math.floor((Date.now() - this.began) / 1000));
    const { scopes, email_consent: { wording_id: wording } } = form;
    const more = { language, files: this.uploads.sent, seconds: this.seconds, proof, wording, scopes };
    return submission(this.fields, more);
  }

  /** @param {unknown} failure */
  async refused(failure) {
    if (!(failure instanceof Refused)) return showProblems(this.screen, [{ key: "error.proof" }]);
    const { refusal } = failure;
    if (refusal.status === 429) return this.tooMany();
    if (refusal.status === 409 && refusal.code === "proof_reused") await this.proof.renew().catch(() => {});
    showProblems(this.screen, [said(refusal)]);
  }

  /** Over the limit: nothing is lost, and other ways are open. */
  tooMany() {
    this.screen.show("too_many", (content) => {
      find(content, "[data-back]").addEventListener("click", () => this.show(false));
    });
  }

  async sent() {
    await this.speak();
    const { status_link: link, acknowledgement, answer_by: answerBy, why } = /** @type {Receipt} */ (this.receipt);
    const email = this.fields.email ?? "";
    this.screen.show("sent", (content) => {
      find(content, "[data-note]").hidden = this.changedSince !== true;
      find(content, "[data-private]").hidden = link === "";
      find(content, "[data-anonymous]").hidden = link !== "";
      find(content, "[data-named]").hidden = link === "";
      for (const one of findAll(content, "[data-told]")) one.hidden = one.dataset.told !== acknowledgement || link === "";
      find(content, "[data-unreachable]").hidden = link === "" || email !== "";
      find(content, "[data-answer]").hidden = answerBy === null || link === "";
      find(content, "[data-why]").hidden = why === "" || link === "";
      find(content, "[data-fact=why]").lang = this.attempted ?? this.language;
      const open = find(content, "[data-open]");
      open.setAttribute("href", link);
      for (const button of findAll(content, "[data-copy]")) {
        button.addEventListener("click", () => void this.copy(button));
      }
      find(content, "[data-print]").addEventListener("click", () => window.print());
    });
    if (link !== "") find(this.screen.region, "#link").setAttribute("value", new URL(link, location.href).href);
  }

  /** @param {HTMLElement} button */
  async copy(button) {
    const { reference, status_link: link } = /** @type {Receipt} */ (this.receipt);
    const text = button.dataset.copy === "link" ? new URL(link, location.href).href : reference;
    try {
      await navigator.clipboard.writeText(text);
      this.screen.murmur("sent.copied");
    } catch {
      this.screen.murmur("sent.not_copied");
    }
  }

  /** @param {boolean} many */
  async again(many) {
    await this.speak();
    this.screen.show("again", (content) => {
      if (many) find(content, "[data-reason]").dataset.i18n = "again.too_many";
      if (many) find(content, "[data-otherwise]").dataset.i18n = "too_many.channels";
      find(content, "[data-channels]").hidden = this.organisation === null;
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

  /**
   * The form for one file; a proof whose time is over is renewed once.
   * @param {import("./uploads.mjs").Described} file
   */
  async sign(file) {
    try {
      return await this.ask("complaints/files", { proof: await this.proof.fresh(), ...file });
    } catch (failure) {
      if (!(failure instanceof Refused) || aboutProof(failure.refusal) !== "renew") throw failure;
      return this.ask("complaints/files", { proof: await this.proof.renew(), ...file });
    }
  }

  /**
   * @param {import("./i18n.mjs").Translate} t
   * @returns {import("./i18n.mjs").Values}
   */
  facts(t) {
    const { organisation, receipt, language } = this;
    if (organisation === null) return { controller: "Duly" };
    const { name, address, email, phone } = organisation;
    const facts = { controller: name, address, phone, email };
    if (receipt === null) return facts;
    return {
      ...facts,
      reference: receipt.reference,
      moment: t("moment", inWords(receipt.received_at, language)),
      registered: dayInWords(receipt.register_on, language),
      answer: receipt.answer_by === null ? "" : dayInWords(receipt.answer_by, language),
      why: receipt.why,
      writer: this.fields.email ?? "",
    };
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
   * @param {string} route
   * @param {object} body
   * @returns {Promise<any>}
   */
  ask(route, body) {
    return post(`/api/public/${this.org}/${route}`, body);
  }
}

/**
 * @param {HTMLElement} form
 * @returns {Fields}
 */
function fieldsOf(form) {
  const data = new FormData(/** @type {HTMLFormElement} */ (form));
  data.delete("files");
  return Object.fromEntries(Array.from(data, ([name, value]) => [name, String(value)]));
}

/**
 * @param {HTMLElement} form
 * @param {Fields} fields
 */
function restore(form, fields) {
  for (const element of findAll(form, "input, select, textarea")) {
    const control = /** @type {HTMLInputElement} */ (element);
    const value = fields[control.name];
    if (value === undefined || control.type === "file") continue;
    if (control.type === "radio" || control.type === "checkbox") control.checked = control.value === value;
    else control.value = value;
    if (value !== "") control.closest("details")?.setAttribute("open", "");
  }
}

/** @param {unknown} failure @returns {Refusal} */
function refusalOf(failure) {
  if (failure instanceof Refused) return failure.refusal;
  throw failure;
}
