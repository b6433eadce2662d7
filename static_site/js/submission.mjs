// @ts-check
/** What a person filled in, as the API takes it (M5-M13). Nothing is required here but words or a file. */

/** @typedef {Record<string, string>} Fields every field by its name; a ticked box is "on" */
/** @typedef {Record<string, string[]>} Scopes what each audience may say that it is about */
/** @typedef {{folder: string, slot: number, name: string, content_type: string, size: number}} SentFile */

export const MOST_CHARACTERS = 20_000;

/** What no honest text needs and a copied one often brings: controls, signs without width, byte order marks. */
const INVISIBLE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2060-\u2064\u2066-\u2069\u200b-\u200f\u061c\ufeff\uffff\ufffe]|\p{Surrogate}/gu;

/**
 * The text as it can be kept: the same to every eye.
 * @param {string} text
 */
export function clean(text) {
  return text.replace(/\r\n?/g, "\n").replace(/[\u2028\u2029]/g, "\n").replace(INVISIBLE, "").normalize("NFC").trim();
}

/**
 * How long a text is as the API counts it: in characters, not in UTF-16's halves.
 * @param {string} text
 */
export function length(text) {
  return Array.from(clean(text)).length;
}

/**
 * Whether it can be said to be about personal data: a complaint, by whom the rules give terms of their own for it.
 * @param {Fields} fields
 * @param {Scopes} scopes
 */
export function mayBeAboutData(fields, scopes) {
  const complains = (fields.kind || "complaint") === "complaint";
  return complains && (scopes[fields.audience || "natural"] ?? []).includes("data_protection");
}

/**
 * @param {Fields} fields
 * @param {{language: string, files: SentFile[], seconds: number, proof: string, wording: string, scopes: Scopes}} more
 *   `wording`: the id of the consent whose box may be ticked
 */
export function submission(fields, { language, files, seconds, proof, wording, scopes }) {
  /** @param {string} name */
  const text = (name) => clean(fields[name] ?? "");
  const anonymous = fields.anonymous === "on";
  const other = fields.about === "other";
  /** @param {string} name one of the fields that say who writes */
  const own = (name) => (anonymous ? "" : text(name));
  return {
    proof,
    language,
    kind: fields.kind || "complaint",
    anonymous,
    audience: fields.audience || "natural",
    scope: fields.scope && mayBeAboutData(fields, scopes) ? fields.scope : "complaint",
    name: own("name"),
    city: own("city"),
    email: own("email"),
    phone: own("phone"),
    postal_address: own("postal_address"),
    about: other ? "other" : "self",
    insured: other
      ? {
          name: text("insured_name"),
          email: text("insured_email"),
          phone: text("insured_phone"),
          postal_address: text("insured_postal_address"),
          company: fields.insured_company === "on",
        }
      : null,
    claims_authority: other && fields.claims_authority === "on",
    contract_number: text("contract_number"),
    claim_number: text("claim_number"),
    product: fields.product ?? "",
    employee: {
      department: text("employee_department"),
      position: text("employee_position"),
      name: text("employee_name"),
    },
    substance: text("substance"),
    reply_form: anonymous ? "" : (fields.reply_form ?? ""),
    email_consent: !anonymous && own("email") !== "" && fields.email_consent === "on" ? wording : "",
    files,
    website: fields.website ?? "",
    seconds,
  };
}

/**
 * What stands in the way of sending, by the name of the field; nothing but words or a file is asked for.
 * @param {Fields} fields
 * @param {{ready: number, failed: number}} files
 * @returns {{key: string, field: string}[]}
 */
export function missing(fields, { ready, failed }) {
  const found = [];
  const written = length(fields.substance ?? "");
  if (written === 0 && ready === 0) found.push({ key: "error.nothing_submitted", field: "substance" });
  if (written > MOST_CHARACTERS) found.push({ key: "error.too_long", field: "substance" });
  if (failed > 0) found.push({ key: "error.files_failed", field: "files" });
  return found;
}
