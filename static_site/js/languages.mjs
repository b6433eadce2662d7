// @ts-check
/** The languages that the pages speak, and which of them a reader would want. */

export const LANGUAGES = ["pl", "en", "ru"];

/**
 * The first wished language that we speak; English where there is none. Nothing is stored.
 * @param {readonly string[]} wishes language tags, most wanted first
 * @returns {string}
 */
export function preferred(wishes) {
  const bases = wishes.map((tag) => tag.toLowerCase().split("-")[0]);
  return bases.find((base) => LANGUAGES.includes(base)) ?? "en";
}
