// @ts-check
/** An instant in the reader's own time zone, in words, with the zone named. */

/** English as it is written in Europe: day before month, 24 hours. */
const LOCALES = /** @type {Record<string, string>} */ ({ en: "en-GB", pl: "pl-PL", ru: "ru-RU" });

/**
 * @param {string} instant RFC 3339
 * @param {string} language
 * @param {string} [timeZone] the reader's by default
 * @returns {{date: string, time: string}}
 */
export function inWords(instant, language, timeZone) {
  const moment = new Date(instant);
  const locale = LOCALES[language] ?? language;
  const date = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone });
  const time = new Intl.DateTimeFormat(locale, {
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
    timeZone,
  });
  return { date: date.format(moment), time: time.format(moment) };
}

/**
 * A plain date in words: of the organisation's calendar, whatever the reader's zone.
 * @param {string} date such as 2026-11-27
 * @param {string} language
 * @param {"full" | "long"} [dateStyle] with the day of the week, or without it
 */
export function dayInWords(date, language, dateStyle = "full") {
  const day = new Intl.DateTimeFormat(LOCALES[language] ?? language, { dateStyle, timeZone: "UTC" });
  return day.format(new Date(`${date}T12:00:00Z`));
}
