// @ts-check
/** First of all the token leaves the address; only then anything is asked or shown (R18). */

import { looksLikeToken, takeToken } from "./link.mjs";
import { PreferencesPage } from "./preferences-page.mjs";

const token = takeToken(location, history);
void new PreferencesPage(token).open();

// A second link opened in the same tab changes nothing but the fragment.
addEventListener("hashchange", () => {
  if (looksLikeToken(location.hash)) location.reload();
});
