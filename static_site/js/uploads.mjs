// @ts-check
/**
 * Files on their way: which were chosen, how far each has come. Each goes straight into quarantine by
 * a form that the API signs for exactly this size and type (M13); one at a time, so that a slow line
 * brings one after the other instead of all of them at last.
 */

import { Refused } from "./api.mjs";
import { said } from "./refusals.mjs";
import { clean } from "./submission.mjs";

/** @typedef {{url: string, fields: Record<string, string>, folder: string}} Signed */
/** @typedef {{slot: number, name: string, content_type: string, size: number}} Described */
/**
 * @typedef {object} Attachment
 * @property {number} slot
 * @property {File} file
 * @property {"waiting" | "uploading" | "ready" | "failed"} state
 * @property {number} progress 0 to 100
 * @property {string} reason key of the sentence, if it failed
 * @property {string} folder where it lies, once it does
 */
/** @typedef {{most: number, bytes: number, together: number}} Limits */

const TYPE = /^[a-z]+\/[a-z0-9][a-z0-9.+-]{0,90}$/;
const OTHER = "application/octet-stream";

/**
 * What of the chosen files can't be taken, by the key of its sentence; null where all can.
 * @param {readonly {size: number}[]} before
 * @param {readonly {size: number}[]} chosen
 * @param {Limits} limits
 * @returns {string | null}
 */
export function refused(before, chosen, { most, bytes, together }) {
  const all = [...before, ...chosen];
  if (all.length > most) return "error.files_many";
  if (chosen.some(({ size }) => size > bytes)) return "error.file_large";
  if (chosen.some(({ size }) => size === 0)) return "error.file_empty";
  return all.reduce((sum, { size }) => sum + size, 0) > together ? "error.files_together" : null;
}

/**
 * @param {File} file
 * @param {number} slot
 * @returns {Described}
 */
export function described(file, slot) {
  const name = Array.from(clean(file.name)).slice(-150).join("") || "file";
  const type = file.type.toLowerCase();
  return { slot, name, content_type: TYPE.test(type) ? type : OTHER, size: file.size };
}

export class Uploads {
  /**
   * @param {(described: Described) => Promise<Signed>} sign
   * @param {() => void} changed
   * @param {typeof put} [send]
   */
  constructor(sign, changed, send = put) {
    this.sign = sign;
    this.changed = changed;
    this.send = send;
    /** @type {Attachment[]} */
    this.all = [];
    /** @type {Promise<void> | null} */
    this.running = null;
    /** @type {{slot: number, abort: AbortController} | null} */
    this.current = null;
  }

  /** @param {readonly File[]} files that `refused` lets pass */
  add(files) {
    for (const file of files) {
      let slot = 0;
      while (this.all.some((one) => one.slot === slot)) slot += 1;
      this.all.push({ slot, file, state: "waiting", progress: 0, reason: "", folder: "" });
    }
    this.changed();
    void this.work();
  }

  /** @param {number} slot */
  remove(slot) {
    this.all = this.all.filter((one) => one.slot !== slot);
    if (this.current?.slot === slot) this.current.abort.abort();
    this.changed();
  }

  /** @param {number} slot */
  retry(slot) {
    for (const one of this.all) if (one.slot === slot && one.state === "failed") one.state = "waiting";
    this.changed();
    void this.work();
  }

  /** Waits until nothing is on its way. */
  async settled() {
    while (this.running !== null) await this.running;
  }

  get count() {
    const states = this.all.map((one) => one.state);
    return {
      ready: states.filter((state) => state === "ready").length,
      failed: states.filter((state) => state === "failed").length,
    };
  }

  /** What has arrived, as the act names it. */
  get sent() {
    return this.all
      .filter((one) => one.state === "ready")
      .map((one) => ({ folder: one.folder, ...described(one.file, one.slot) }));
  }

  work() {
    this.running ??= this.drain().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  async drain() {
    for (;;) {
      const next = this.all.find((one) => one.state === "waiting");
      if (next === undefined) return;
      await this.upload(next);
    }
  }

  /** @param {Attachment} one */
  async upload(one) {
    const abort = new AbortController();
    this.current = { slot: one.slot, abort };
    Object.assign(one, { state: "uploading", progress: 0, reason: "" });
    this.changed();
    try {
      const { url, fields, folder } = await this.sign(described(one.file, one.slot));
      await this.send(url, fields, one.file, abort.signal, (progress) => {
        one.progress = progress;
        this.changed();
      });
      Object.assign(one, { state: "ready", progress: 100, folder });
    } catch (failure) {
      const known = failure instanceof Refused && failure.refusal.status !== 0;
      one.reason = known ? reason(failure.refusal) : "error.upload";
      one.state = "failed";
    } finally {
      this.current = null;
    }
    this.changed();
  }
}

/** @param {import("./outcome.mjs").Refusal} refusal */
function reason(refusal) {
  const { key } = said(refusal);
  if (refusal.status !== 422) return key;
  if (refusal.field === "name") return "error.file_name";
  return refusal.field === "size" ? "error.file_size" : "error.file_type";
}

/**
 * One file by a presigned form; only XMLHttpRequest tells how far it has come.
 * @param {string} url
 * @param {Record<string, string>} fields
 * @param {File} file
 * @param {AbortSignal} signal
 * @param {(progress: number) => void} tell
 * @returns {Promise<void>}
 */
function put(url, fields, file, signal, tell) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", file);
    const request = new XMLHttpRequest();
    request.upload.onprogress = ({ loaded, total }) => tell(Math.floor((100 * loaded) / Math.max(total, 1)));
    request.onload = () => (request.status >= 200 && request.status < 300 ? resolve() : reject(new Error("refused")));
    request.onerror = request.onabort = request.ontimeout = () => reject(new Error("broken off"));
    signal.addEventListener("abort", () => request.abort());
    if (signal.aborted) return reject(new Error("taken away"));
    request.open("POST", url);
    request.send(form);
  });
}
