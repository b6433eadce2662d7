// @ts-check
/** First of all the token leaves the address; only then anything is asked or shown (R18). */

import { ConfirmPage } from "./confirm.mjs";
import { looksLikeToken, takeToken } from "./link.mjs";

const token = takeToken(location, history);
void new ConfirmPage(token).open();

// A second link opened in the same tab changes nothing but the fragment.
addEventListener("hashchange", () => {
  if (looksLikeToken(location.hash)) location.reload();
});
