// @ts-check
/** What the page does about each refusal of the API. The code decides; the status helps unknown codes. */

/** @typedef {{status: number, code: string, field?: string}} Refusal */

const ENDINGS = /** @type {Record<string, string>} */ ({
  link_invalid: "invalid",
  link_expired: "expired",
  link_superseded: "superseded",
  link_withdrawn: "withdrawn",
  link_closed: "closed",
});

/**
 * The page on which a link ends, or null where trying again can help.
 * @param {Refusal} refusal
 * @returns {string | null}
 */
export function ending({ status, code }) {
  if (code in ENDINGS) return ENDINGS[code];
  if (status === 404) return "invalid";
  return status === 410 ? "closed" : null;
}

/**
 * What to say once the answers have been read again, where they are no longer as shown; null otherwise.
 * @param {Refusal} refusal
 * @returns {string | null}
 */
export function outdated({ code }) {
  if (code === "answers_changed") return "choice.changed";
  return code === "already_confirmed" ? "registered.already" : null;
}

/**
 * The sentence for a refused act; the person's choice stays.
 * @param {Refusal} refusal
 * @returns {string}
 */
export function complaint({ status, field }) {
  if (status === 429) return "error.too_many_requests";
  if (status === 422 && field === "decision") return "error.decision_missing";
  return "error.try_again";
}
