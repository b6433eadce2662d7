// @ts-check
import { inWords } from "./moment.mjs";

/** @typedef {import("./i18n.mjs").Translate} Translate */
/** @typedef {import("./i18n.mjs").Values} Values */
/** @typedef {{reference: string, decision: "confirmed" | "disputed", decided_at: string}} Receipt */
/**
 * What `links/read` answers.
 * @typedef {object} Reading
 * @property {"open" | "disputed" | "confirmed"} state
 * @property {string} language of the declaration
 * @property {{name: string, address: string, email: string, phone: string}} controller
 * @property {string} client_name
 * @property {string} staff_name
 * @property {import("./answers.mjs").Answer[]} answers
 * @property {string} digest of what is shown; goes back with the decision
 * @property {string} expires_at
 * @property {Receipt | null} receipt
 */

/**
 * What sentences and places on the page may name, in the words of a language.
 * @param {Reading | null} reading null before anything was read
 * @param {Translate} t
 * @param {string} language
 * @returns {Values}
 */
export function factsOf(reading, t, language) {
  if (reading === null) return { controller: "Duly" };
  /** @param {string} instant */
  const moment = (instant) => t("moment", inWords(instant, language));
  const { controller, receipt } = reading;
  const facts = {
    controller: controller.name,
    address: controller.address,
    email: controller.email,
    phone: controller.phone,
    client: reading.client_name,
    staff: reading.staff_name,
    until: moment(reading.expires_at),
  };
  if (receipt === null) return facts;
  return { ...facts, reference: receipt.reference, moment: moment(receipt.decided_at) };
}
