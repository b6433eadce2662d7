// @ts-check
/**
 * The draft of a form, kept in this browser until it is sent or deleted, a week at most: the one
 * thing that a page of ours stores. Files and the proof are no part of it. Where a browser keeps
 * nothing, the form works all the same.
 */

/** @typedef {import("./submission.mjs").Fields} Fields */

const KEPT_MILLISECONDS = 7 * 24 * 3600 * 1000;

export class Draft {
  /**
   * @param {string} org
   * @param {() => Storage} [storage] to touch it may be refused
   * @param {() => number} [now]
   */
  constructor(org, storage = () => localStorage, now = Date.now) {
    this.key = `duly.complaint.${org}`;
    this.storage = storage;
    this.now = now;
  }

  /**
   * What was kept; null where there is nothing, or nothing of this week.
   * @returns {{fields: Fields, at: number} | null}
   */
  read() {
    try {
      const { fields, at } = JSON.parse(this.storage().getItem(this.key) ?? "null") ?? {};
      const usable = typeof at === "number" && fields !== null && typeof fields === "object";
      if (usable && this.now() - at < KEPT_MILLISECONDS) return { fields: texts(fields), at };
    } catch {
      // Unreadable, or storage is switched off: there is no draft.
    }
    this.forget();
    return null;
  }

  /**
   * Keeps these fields; whether it could.
   * @param {Fields} fields
   */
  keep(fields) {
    try {
      this.storage().setItem(this.key, JSON.stringify({ fields, at: this.now() }));
      return true;
    } catch {
      return false;
    }
  }

  forget() {
    try {
      this.storage().removeItem(this.key);
    } catch {
      // Nothing was kept.
    }
  }
}

/** @param {Record<string, unknown>} fields @returns {Fields} */
function texts(fields) {
  return Object.fromEntries(
    Object.entries(fields).filter(/** @returns {entry is [string, string]} */ (entry) => typeof entry[1] === "string"),
  );
}
