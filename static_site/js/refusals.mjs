// @ts-check
/** What the complaint's pages say about each refusal of the API, and at which field. */

/** @typedef {import("./outcome.mjs").Refusal} Refusal */
/** @typedef {{key: string, field?: string}} Said `field`: the name of the control that can put it right */

/** Where a field of the API is another one on the page. */
const FIELDS = /** @type {Record<string, string>} */ ({
  "insured.name": "insured_name",
  "insured.email": "insured_email",
  "insured.phone": "insured_phone",
  "insured.postal_address": "insured_postal_address",
  "employee.department": "employee_department",
  "employee.position": "employee_position",
  "employee.name": "employee_name",
  "files.name": "files",
  "files.size": "files",
  "files.content_type": "files",
  size: "files",
  content_type: "files",
  text: "text",
});

/** The controls that can be wrong by themselves. */
const KNOWN = new Set([
  "substance", "files", "contract_number", "claim_number", "product", "name", "city", "email", "phone",
  "postal_address", "claims_authority", ...Object.values(FIELDS),
]);

const CODES = /** @type {Record<string, string>} */ ({
  nothing_submitted: "error.nothing_submitted",
  email_refused: "error.email",
  phone_refused: "error.phone",
  text_refused: "error.text",
  files_too_large: "error.files_together",
  proof_refused: "error.proof",
  proof_expired: "error.proof",
  too_large: "error.too_long",
  too_many_requests: "error.too_many_requests",
  too_many_additions: "error.too_many_additions",
  adding_ended: "error.adding_ended",
  decision_missing: "error.answer_missing",
  wording_changed: "error.wording_changed",
});

/**
 * The sentence for a refusal, and the field if it is one of the page's.
 * @param {Refusal} refusal
 * @returns {Said}
 */
export function said({ status, code, field }) {
  const named = field === undefined ? undefined : (FIELDS[field] ?? field.split(".")[0]);
  const control = named !== undefined && KNOWN.has(named) ? named : undefined;
  if (code in CODES) return { key: CODES[code], field: control };
  if (status === 429) return { key: "error.too_many_requests" };
  if (status === 422 && control !== undefined) return { key: "error.value", field: control };
  return { key: "error.send_again" };
}

/**
 * What a refused proof asks for: `renew` and send the same again, `first` if this proof was spent on
 * other words; null where the proof is not to blame.
 * @param {Refusal} refusal
 * @returns {"renew" | "first" | null}
 */
export function aboutProof({ code }) {
  if (code === "proof_expired" || code === "proof_refused") return "renew";
  return code === "proof_reused" ? "first" : null;
}
