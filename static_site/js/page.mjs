// @ts-check
/** A page of plain text: English as written, or another language in its place. */

import { fill } from "./dom.mjs";
import { onLanguageChosen, showLanguage } from "./language-switch.mjs";
import { preferred } from "./languages.mjs";
import { words } from "./words.mjs";

/** @param {string} language */
async function speak(language) {
  const t = await words(language);
  fill(document, t, {});
  showLanguage(language);
}

const asked = new URLSearchParams(location.search).get("lang");
const wished = preferred(asked === null ? navigator.languages : [asked, ...navigator.languages]);

onLanguageChosen((language) => {
  history.replaceState(null, "", `${location.pathname}?lang=${language}`);
  void speak(language);
});
void speak(wished);
