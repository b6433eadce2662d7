// @ts-check
/**
 * The work on a challenge, done by altcha's own worker (`vendor/altcha-pbkdf2.js`, as published),
 * so that typing never waits for it. Under Trusted Types a worker's address must be made by a policy:
 * ours makes this one address and no other.
 */

const WORKER = "/js/vendor/altcha-pbkdf2.js";

/** @typedef {{parameters: object, signature: string}} Challenge */

/** @type {string | null} */
let address = null;

/**
 * @param {Challenge} challenge
 * @returns {Promise<string>} challenge and solution as the API takes them
 */
export async function solve(challenge) {
  const worker = new Worker((address ??= allowed()));
  try {
    const solution = await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data?.derivedKey ? resolve(data) : reject(new Error("no solution")));
      worker.onerror = () => reject(new Error("no worker"));
      worker.postMessage({ type: "work", challenge });
    });
    return btoa(JSON.stringify({ challenge, solution }));
  } finally {
    worker.terminate();
  }
}

/** @returns {string} what may stand for a string where the browser knows Trusted Types */
function allowed() {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  if (trustedTypes === undefined) return WORKER;
  return trustedTypes.createPolicy("duly-worker", { createScriptURL: () => WORKER }).createScriptURL("");
}
