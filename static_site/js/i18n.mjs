// @ts-check
/**
 * Sentences by flat key, with `%{name}` for values and the language's own plural forms
 * (`key.one`, `key.few`, …). A missing sentence or value is an error, never a gap in a page.
 */

/** @typedef {Record<string, string>} Words */
/** @typedef {Record<string, string | number>} Values */
/** @typedef {(key: string, values?: Values) => string} Translate */

const PLACEHOLDER = /%\{(\w+)\}/g;

/**
 * @param {string} language
 * @param {Words} words
 * @returns {Translate}
 */
export function translator(language, words) {
  const plural = new Intl.PluralRules(language);
  return (key, values = {}) => {
    const form = key in words ? key : `${key}.${plural.select(Number(values.count))}`;
    if (!Object.prototype.hasOwnProperty.call(words, form)) {
      throw new Error(`${language}: no sentence for ${form}`);
    }
    return words[form].replace(PLACEHOLDER, (_, name) => {
      if (values[name] === undefined) throw new Error(`${language}: ${form} needs ${name}`);
      return String(values[name]);
    });
  };
}
