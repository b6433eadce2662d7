// @ts-check
/**
 * JSON over POST to our own origin: no cookie, no referrer, no cache. A refusal keeps its code;
 * whatever never became an answer of ours (no network, a time-out, a hotel's sign-in page) is
 * `unreachable`, and the same act may safely be sent again.
 */

/** @typedef {import("./outcome.mjs").Refusal} Refusal */

/** The gateway gives up after 29 seconds. */
const PATIENCE = 30_000;

export class Refused extends Error {
  /** @param {Refusal} refusal */
  constructor(refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

/**
 * @param {string} path
 * @param {object} body
 * @param {typeof fetch} [send]
 * @returns {Promise<any>} the answer of a 2xx
 */
export async function post(path, body, send = (...request) => fetch(...request)) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  try {
    const response = await send(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
      referrerPolicy: "no-referrer",
      redirect: "error",
      signal: patience.signal,
    });
    const answer = await parsed(response);
    if (response.ok) return answer;
    const { code = "unreachable", field } = answer;
    throw new Refused({ status: response.status, code, field });
  } catch (failure) {
    if (failure instanceof Refused) throw failure;
    throw new Refused({ status: 0, code: "unreachable" });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The object in an answer. A gateway's error may come without JSON and keeps its status; a success
 * without JSON is not ours. An accepted request (202) need not say anything.
 * @param {Response} response
 */
async function parsed(response) {
  const text = await response.text();
  if (response.status === 202 && text === "") return {};
  try {
    const answer = JSON.parse(text);
    return answer !== null && typeof answer === "object" ? answer : {};
  } catch (failure) {
    if (response.ok) throw failure;
    return {};
  }
}
