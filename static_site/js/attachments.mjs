// @ts-check
/**
 * The list of attached files below their input: a bar for each, a way to remove it and to try again,
 * and a quiet word to a screen reader when one has arrived or failed.
 */

import { clone, find, findAll } from "./dom.mjs";
import { refused } from "./uploads.mjs";

/** @typedef {import("./uploads.mjs").Uploads} Uploads */
/** @typedef {import("./uploads.mjs").Limits} Limits */

const STATES = { waiting: "file.waiting", uploading: "file.uploading", ready: "file.ready" };

export class Attachments {
  /**
   * @param {Uploads} uploads
   * @param {Limits} limits
   * @param {(key: string | null) => void} complain about what was chosen, or nothing any more
   * @param {() => void} refresh words and facts on the page
   */
  constructor(uploads, limits, complain, refresh) {
    this.uploads = uploads;
    this.limits = limits;
    this.complain = complain;
    this.refresh = refresh;
    this.told = "";
  }

  /** @param {ParentNode} root a screen that has just been made */
  attach(root) {
    this.list = find(root, "[data-attachments]");
    this.status = find(root, "[data-attachments-status]");
    const input = /** @type {HTMLInputElement} */ (find(root, "#files"));
    input.addEventListener("change", () => {
      const chosen = Array.from(input.files ?? []);
      input.value = "";
      const wrong = refused(this.uploads.all.map(({ file }) => file), chosen, this.limits);
      this.complain(wrong);
      if (wrong === null) this.uploads.add(chosen);
    });
    this.show();
  }

  /** The list as it is now; the focus stays where it was. */
  show() {
    if (this.list === undefined || this.status === undefined) return;
    const { list } = this;
    const shown = new Map(findAll(list, "[data-slot]").map((item) => [Number(item.dataset.slot), item]));
    for (const [slot, item] of shown) {
      if (!this.uploads.all.some((one) => one.slot === slot)) item.remove();
    }
    for (const one of this.uploads.all) {
      const item = shown.get(one.slot) ?? this.item(one.slot);
      find(item, "[data-name]").textContent = one.file.name;
      find(item, "[data-size]").textContent = inWords(one.file.size);
      const bar = /** @type {HTMLProgressElement} */ (find(item, "progress"));
      bar.value = one.progress;
      bar.setAttribute("aria-label", one.file.name);
      bar.hidden = one.state !== "uploading" && one.state !== "waiting";
      find(item, "[data-state]").dataset.i18n = one.state === "failed" ? one.reason : STATES[one.state];
      item.dataset.state = one.state;
      find(item, "[data-retry]").hidden = one.state !== "failed";
    }
    this.announce();
    this.refresh();
  }

  /** @param {number} slot */
  item(slot) {
    const item = find(clone("attachment"), "li");
    item.dataset.slot = String(slot);
    find(item, "[data-remove]").addEventListener("click", () => {
      const next = item.nextElementSibling ?? item.previousElementSibling;
      this.uploads.remove(slot);
      const place = next?.querySelector("[data-remove]") ?? document.querySelector("#files");
      /** @type {HTMLElement | null} */ (place)?.focus();
    });
    find(item, "[data-retry]").addEventListener("click", () => {
      this.uploads.retry(slot);
      find(item, "[data-remove]").focus();
    });
    for (const [name, id] of [["remove", "[data-remove]"], ["retry", "[data-retry]"]]) {
      const button = find(item, id);
      button.id = `file-${name}-${slot}`;
      button.setAttribute("aria-describedby", `file-name-${slot}`);
    }
    find(item, "[data-name]").id = `file-name-${slot}`;
    this.list?.append(item);
    return item;
  }

  /** Says how many have arrived, once for each change; never every step of a bar. */
  announce() {
    const { ready, failed } = this.uploads.count;
    const told = `${ready} ${failed} ${this.uploads.all.length}`;
    if (told === this.told || this.status === undefined) return;
    this.told = told;
    const { dataset } = this.status;
    dataset.i18n = failed > 0 ? "files.some_failed" : "files.arrived";
    dataset.count = String(failed > 0 ? failed : ready);
    this.status.hidden = this.uploads.all.length === 0;
  }
}

/** @param {number} size in bytes */
function inWords(size) {
  const [value, unit] = size < 1024 * 1024 ? [size / 1024, "kilobyte"] : [size / 1024 / 1024, "megabyte"];
  return new Intl.NumberFormat(document.documentElement.lang, {
    style: "unit",
    unit,
    maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value);
}
