// @ts-check
/**
 * "Was this sent for you?": the insured says so, or not (M38, D7). Opening changes nothing; an answer
 * carries the choice that a person made, neither is chosen beforehand, and one button sends it (D14, R4).
 */

import { find } from "./dom.mjs";
import { LinkedPage, refusalOf } from "./linked-page.mjs";
import { dayInWords, inWords } from "./moment.mjs";
import { ending } from "./outcome.mjs";
import { clearProblems, showProblems } from "./problems.mjs";
import { said } from "./refusals.mjs";

/**
 * What `complaints/insured/read` answers.
 * @typedef {object} Question
 * @property {{name: string, address: string, email: string, phone: string}} organisation
 * @property {string} reference
 * @property {string} language
 * @property {string} received_on
 * @property {string} client_name
 * @property {"open" | "answered"} state
 * @property {"mine" | "not_mine"} [decision]
 */

const DECISIONS = { mine: "insured.mine", not_mine: "insured.not_mine" };
const FIRST = "decision-mine";

export class InsuredPage extends LinkedPage {
  /** @param {string} token */
  constructor(token) {
    super(token);
    /** @type {Question | null} */
    this.question = null;
    this.decidedAt = "";
    this.already = false;
  }

  /** @override */
  async read() {
    this.question = await this.quietly("opening.heading", "opening.slow", () => this.ask("insured/read"));
    return /** @type {Question} */ (this.question);
  }

  /** @override */
  present() {
    const { state, decision } = /** @type {Question} */ (this.question);
    if (state === "answered" && decision !== undefined) return this.decided(decision);
    this.screen.show("question", (content) => {
      find(content, "form").addEventListener("submit", (event) => {
        event.preventDefault();
        const chosen = new FormData(/** @type {HTMLFormElement} */ (event.target)).get("decision");
        void this.send(chosen === null ? null : String(chosen));
      });
    });
  }

  /** @param {"mine" | "not_mine"} decision */
  decided(decision) {
    this.screen.show("decided", (content) => {
      find(content, "[data-note]").hidden = !this.already;
      find(content, "[data-decision]").dataset.i18n = DECISIONS[decision];
      find(content, "[data-moment]").hidden = this.decidedAt === "";
      find(content, "[data-print]").addEventListener("click", () => window.print());
    });
  }

  /** @param {string | null} decision */
  async send(decision) {
    if (this.busy) return;
    if (decision === null) return showProblems(this.screen, [{ key: "error.answer_missing", field: FIRST }]);
    clearProblems(this.screen);
    try {
      const act = () => this.ask("insured/act", { decision });
      const given = await this.quietly("decision.sending", "decision.sending_slow", act);
      this.decidedAt = given.decided_at;
      this.question = { .../** @type {Question} */ (this.question), state: "answered", decision: given.decision };
    } catch (failure) {
      return this.refused(refusalOf(failure));
    }
    await this.speak();
    this.present();
  }

  /** @param {import("./outcome.mjs").Refusal} refusal */
  async refused(refusal) {
    const end = ending(refusal);
    if (end !== null) return this.end(end);
    if (refusal.code === "already_decided") {
      this.already = true;
      return this.load();
    }
    const { key } = said(refusal);
    showProblems(this.screen, [{ key, field: key === "error.answer_missing" ? FIRST : undefined }]);
  }

  /**
   * @override
   * @param {import("./i18n.mjs").Translate} t
   */
  facts(t) {
    if (this.question === null) return { controller: "Duly" };
    const { organisation, reference, received_on: received, client_name: client } = this.question;
    const { name, address, email, phone } = organisation;
    return {
      controller: name,
      address,
      email,
      phone,
      reference,
      client,
      received: dayInWords(received, this.language),
      moment: this.decidedAt === "" ? "" : t("moment", inWords(this.decidedAt, this.language)),
    };
  }
}
