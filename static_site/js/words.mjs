// @ts-check
import { translator } from "./i18n.mjs";

/** @typedef {import("./i18n.mjs").Translate} Translate */

const known = /** @type {Map<string, Promise<Translate>>} */ (new Map());

/**
 * The sentences of a language, fetched once. A failed fetch is forgotten, so that it can be tried again.
 * @param {string} language
 * @returns {Promise<Translate>}
 */
export function words(language) {
  let translate = known.get(language);
  if (translate === undefined) {
    translate = fetched(language);
    translate.catch(() => known.delete(language));
    known.set(language, translate);
  }
  return translate;
}

/** @param {string} language */
async function fetched(language) {
  const response = await fetch(`/locales/${language}.json`, { credentials: "omit" });
  if (!response.ok) throw new Error(`no words for ${language}: ${response.status}`);
  return translator(language, await response.json());
}
