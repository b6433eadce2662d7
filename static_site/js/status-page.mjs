// @ts-check
/**
 * How far a submission is, without a sign-in: its number, its stage, the next date and why, where else
 * to turn, and a place to add something. No fact of the case is on it, so a link in wrong hands tells
 * little, and whoever writes for an insured learns no more than his letter says (D7).
 */

import { Attachments } from "./attachments.mjs";
import { find } from "./dom.mjs";
import { LinkedPage, refusalOf } from "./linked-page.mjs";
import { dayInWords } from "./moment.mjs";
import { ending } from "./outcome.mjs";
import { clearProblems, noteProblem, showProblems } from "./problems.mjs";
import { said } from "./refusals.mjs";
import { clean, length, MOST_CHARACTERS } from "./submission.mjs";
import { Uploads } from "./uploads.mjs";

/** @typedef {Record<string, string>} Texts by language */
/**
 * What `complaints/status` answers.
 * @typedef {object} Standing
 * @property {string} reference
 * @property {string} language
 * @property {{name: string, address: string, email: string, phone: string}} organisation
 * @property {string} stage
 * @property {string | null} received_on
 * @property {string | null} registered_on
 * @property {{date: string, why: string} | null} next
 * @property {boolean} may_add
 * @property {{name: Texts, how: Texts}[]} where_next
 */

const STAGES = /** @type {Record<string, [string, string]>} */ ({
  received: ["stage.received", "stage.received_text"],
  registered: ["stage.registered", "stage.registered_text"],
  in_review: ["stage.in_review", "stage.in_review_text"],
  awaiting_information: ["stage.awaiting_information", "stage.awaiting_information_text"],
  extended: ["stage.extended", "stage.extended_text"],
  answered: ["stage.answered", "stage.answered_text"],
  passed_on: ["stage.passed_on", "stage.passed_on_text"],
  returned: ["stage.returned", "stage.returned_text"],
  duplicate: ["stage.duplicate", "stage.duplicate_text"],
  unanswered: ["stage.unanswered", "stage.unanswered_text"],
  suspended: ["stage.suspended", "stage.suspended_text"],
  closed: ["stage.closed", "stage.closed_text"],
  with_insured: ["stage.with_insured", "stage.with_insured_text"],
});
const LIMITS = { most: 10, bytes: 25 * 1024 * 1024, together: 100 * 1024 * 1024 };

export class StatusPage extends LinkedPage {
  /** @param {string} token */
  constructor(token) {
    super(token);
    /** @type {Standing | null} */
    this.standing = null;
    this.added = false;
    this.clear();
  }

  clear() {
    this.uploads = new Uploads(
      (file) => this.ask("status/files", file),
      () => this.attachments?.show(),
    );
  }

  /** @override */
  async read() {
    this.standing = await this.quietly("opening.heading", "opening.slow", () => this.ask("status"));
    return /** @type {Standing} */ (this.standing);
  }

  /** @override */
  present() {
    const { stage, received_on: received, registered_on: registered, next, language } = this.known;
    const { may_add: may, where_next: where } = this.known;
    const [name, text] = STAGES[stage] ?? STAGES.in_review;
    this.screen.show("status", (content) => {
      find(content, "[data-note]").hidden = !this.added;
      find(content, "[data-stage]").dataset.i18n = name;
      find(content, "[data-stage-text]").dataset.i18n = text;
      find(content, "[data-dates]").hidden = received === null;
      find(content, "[data-registered]").hidden = registered === null;
      find(content, "[data-next]").hidden = next === null;
      find(content, "[data-why]").hidden = next === null || next.why === "";
      find(content, "[data-fact=why]").lang = language;
      find(content, "[data-where]").hidden = where.length === 0;
      find(content, "[data-adding]").hidden = !may;
      find(content, "[data-not-adding]").hidden = may;
      find(content, "form").addEventListener("submit", (event) => {
        event.preventDefault();
        void this.add();
      });
    });
    this.attachments = new Attachments(
      this.uploads,
      LIMITS,
      (key) => noteProblem(this.screen, "files", key),
      () => this.screen.refresh(),
    );
    this.attachments.attach(this.screen.region);
    this.localise();
  }

  /** @override */
  localise() {
    const list = this.screen.region.querySelector("[data-bodies]");
    if (this.standing === null || list === null) return;
    list.replaceChildren(
      ...this.standing.where_next.map(({ name, how }) => {
        const item = document.createElement("li");
        const bold = document.createElement("strong");
        bold.textContent = name[this.language] ?? Object.values(name)[0];
        item.append(bold, document.createElement("br"), how[this.language] ?? Object.values(how)[0]);
        return item;
      }),
    );
  }

  async add() {
    if (this.busy) return;
    const area = /** @type {HTMLTextAreaElement} */ (find(this.screen.region, "#text"));
    const text = clean(area.value);
    clearProblems(this.screen);
    if (this.uploads.count.failed > 0) {
      return showProblems(this.screen, [{ key: "error.files_failed", field: "files" }]);
    }
    if (length(text) > MOST_CHARACTERS) return showProblems(this.screen, [{ key: "error.too_long", field: "text" }]);
    if (text === "" && this.uploads.all.length === 0) {
      return showProblems(this.screen, [{ key: "error.nothing_added", field: "text" }]);
    }
    try {
      const arrived = await this.quietly("complaint.sending", "complaint.sending_slow", async () => {
        await this.uploads.settled();
        if (this.uploads.count.failed > 0) return false;
        await this.ask("status/add", { text, files: this.uploads.sent });
        return true;
      });
      if (!arrived) return showProblems(this.screen, [{ key: "error.files_failed", field: "files" }]);
    } catch (failure) {
      return this.refused(refusalOf(failure));
    }
    this.added = true;
    this.clear();
    await this.load();
  }

  /** @param {import("./outcome.mjs").Refusal} refusal */
  async refused(refusal) {
    const end = ending(refusal);
    if (end !== null) return this.end(end);
    const { key, field } = said(refusal);
    showProblems(this.screen, [{ key, field: field === "files" || field === "text" ? field : undefined }]);
  }

  get known() {
    return /** @type {Standing} */ (this.standing);
  }

  /** @override */
  facts() {
    if (this.standing === null) return { controller: "Duly" };
    const { organisation, reference, received_on: received, registered_on: registered, next } = this.standing;
    const { name, address, email, phone } = organisation;
    return {
      controller: name,
      address,
      email,
      phone,
      // In the fixed text the name ends a sentence, but for the Polish one, where it stands in brackets.
      addressed: this.language === "pl" ? name : name.replace(/\.+$/, ""),
      reference,
      received: received === null ? "" : dayInWords(received, this.language),
      registered: registered === null ? "" : dayInWords(registered, this.language),
      next: next === null ? "" : dayInWords(next.date, this.language),
      why: next === null ? "" : next.why,
    };
  }
}
