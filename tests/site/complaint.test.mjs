// M5-M13, D3: what is filled in becomes what is sent; the draft, the proof and the files keep their promises.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { Refused } from "../../static_site/js/api.mjs";
import { Draft } from "../../static_site/js/draft.mjs";
import { dayInWords } from "../../static_site/js/moment.mjs";
import { Proof } from "../../static_site/js/proof.mjs";
import { aboutProof, said } from "../../static_site/js/refusals.mjs";
import { clean, length, missing, submission } from "../../static_site/js/submission.mjs";
import { described, refused, Uploads } from "../../static_site/js/uploads.mjs";

const scopes = { natural: ["complaint", "data_protection"], legal: ["complaint"] };
const more = { language: "pl", files: [], seconds: 40, proof: "p", wording: "w", scopes };
const MB = 1024 * 1024;

test("an empty form is a complaint of a natural person about himself, and asks for words or a file", () => {
  const sent = submission({}, more);
  assert.equal(sent.kind, "complaint");
  assert.equal(sent.audience, "natural");
  assert.equal(sent.scope, "complaint");
  assert.equal(sent.about, "self");
  assert.equal(sent.insured, null);
  assert.equal(sent.email_consent, "");
  assert.deepEqual(missing({}, { ready: 0, failed: 0 }), [{ key: "error.nothing_submitted", field: "substance" }]);
  assert.deepEqual(missing({}, { ready: 1, failed: 0 }), []);
  assert.deepEqual(missing({ substance: " x " }, { ready: 0, failed: 0 }), []);
});

test("what is hidden is not sent: neither who an anonymous writer is, nor an insured nobody wrote for", () => {
  const fields = {
    anonymous: "on", name: "A", email: "a@b.pl", phone: "1", city: "W", postal_address: "U", reply_form: "paper",
    email_consent: "on", about: "self", insured_name: "B", claims_authority: "on",
  };
  const sent = submission(fields, more);
  assert.deepEqual([sent.name, sent.email, sent.phone, sent.city, sent.postal_address], ["", "", "", "", ""]);
  assert.deepEqual([sent.reply_form, sent.email_consent, sent.insured], ["", "", null]);
  assert.equal(sent.claims_authority, false);
});

test("the consent to be answered by e-mail needs an e-mail address (M83)", () => {
  assert.equal(submission({ email_consent: "on" }, more).email_consent, "");
  assert.equal(submission({ email_consent: "on", email: "a@b.pl" }, more).email_consent, "w");
});

test("what it is about is sent where it was offered: a private person's complaint about their data (D20)", () => {
  const scope = (fields, offered = scopes) => submission({ scope: "data_protection", ...fields }, { ...more, scopes: offered }).scope;
  assert.equal(scope({}), "data_protection");
  assert.equal(scope({ scope: "" }), "complaint");
  assert.equal(scope({ audience: "legal" }), "complaint");
  assert.equal(scope({ kind: "request" }), "complaint");
  assert.equal(scope({}, { natural: ["complaint"], legal: ["complaint"] }), "complaint");
});

test("who writes for somebody else names the insured", () => {
  const sent = submission({ about: "other", insured_name: " Jan ", insured_company: "on", claims_authority: "on" }, more);
  assert.deepEqual(sent.insured, { name: "Jan", email: "", phone: "", postal_address: "", company: true });
  assert.equal(sent.claims_authority, true);
});

test("what a copied text brings along unseen is left out", () => {
  assert.equal(clean("\ufeffża\u200bba\u0000\r\nb\u202e\ud800 "), "żaba\nb");
  assert.equal(length("🙂🙂"), 2);
});

test("a text is too long from its 20,001st character on", () => {
  assert.deepEqual(missing({ substance: "🙂".repeat(20_000) }, { ready: 0, failed: 0 }), []);
  const [problem] = missing({ substance: "ż".repeat(20_001) }, { ready: 0, failed: 0 });
  assert.equal(problem.key, "error.too_long");
});

test("a file that has not arrived stands in the way", () => {
  assert.equal(missing({ substance: "x" }, { ready: 1, failed: 1 })[0].key, "error.files_failed");
});

/** @returns {any} */
const storage = () => {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
    kept,
  };
};

test("a draft comes back for a week, and is its organisation's alone", () => {
  const store = storage();
  let now = 1_000;
  const draft = new Draft("polisa", () => store, () => now);
  assert.equal(draft.read(), null);
  draft.keep({ substance: "a" });
  assert.deepEqual(draft.read(), { fields: { substance: "a" }, at: 1_000 });
  assert.equal(new Draft("inna", () => store, () => now).read(), null);
  now += 7 * 24 * 3600 * 1000;
  assert.equal(draft.read(), null);
  assert.equal(store.kept.size, 0);
});

test("a draft that is no draft is thrown away, and a browser without storage does without", () => {
  const store = storage();
  for (const text of ["{", "[]", "7", '{"fields":null,"at":1}', '{"fields":{"a":1},"at":"x"}']) {
    store.setItem("duly.complaint.polisa", text);
    assert.equal(new Draft("polisa", () => store, () => 2).read(), null);
  }
  store.setItem("duly.complaint.polisa", '{"fields":{"a":1,"b":"2"},"at":1}');
  assert.deepEqual(new Draft("polisa", () => store, () => 2).read()?.fields, { b: "2" });
  const none = new Draft("polisa", () => { throw new Error("switched off"); });
  assert.equal(none.read(), null);
  assert.equal(none.keep({ a: "b" }), false);
  none.forget();
});

test("a proof is used while it has time enough left, and renewed once for all who ask", async () => {
  let now = 0;
  let asked = 0;
  const offer = { challenge: { parameters: {}, signature: "" }, challenge_seconds: 600 };
  const proof = new Proof(async () => { asked += 1; return offer; }, async () => `proof ${asked}`, () => now);
  assert.equal(proof.stale, true);
  void proof.adopt(offer);
  assert.equal(await proof.fresh(), "proof 0");
  now = 509_000;
  assert.equal(await proof.fresh(), "proof 0");
  now = 511_000;
  assert.deepEqual(await Promise.all([proof.fresh(), proof.fresh()]), ["proof 1", "proof 1"]);
  assert.equal(asked, 1);
  assert.equal(await proof.renew(), "proof 2");
});

test("a renewal that fails can be tried again", async () => {
  let fails = true;
  const offer = { challenge: { parameters: {}, signature: "" }, challenge_seconds: 600 };
  const proof = new Proof(
    async () => { if (fails) throw new Refused({ status: 0, code: "unreachable" }); return offer; },
    async () => "proof",
  );
  await assert.rejects(proof.fresh());
  fails = false;
  assert.equal(await proof.fresh(), "proof");
});

test("files are counted and weighed before they are sent", () => {
  const limits = { most: 10, bytes: 25 * MB, together: 100 * MB };
  const files = (count, size) => Array(count).fill({ size });
  assert.equal(refused([], files(10, 1), limits), null);
  assert.equal(refused(files(1, 1), files(10, 1), limits), "error.files_many");
  assert.equal(refused([], [{ size: 25 * MB + 1 }], limits), "error.file_large");
  assert.equal(refused([], [{ size: 0 }], limits), "error.file_empty");
  assert.equal(refused([], files(4, 25 * MB), limits), null);
  assert.equal(refused(files(4, 25 * MB), [{ size: 1 }], limits), "error.files_together");
});

test("a file without a known kind is one all the same", () => {
  /** @type {any} */
  const file = { name: "ża.bin", type: "", size: 3 };
  assert.deepEqual(described(file, 2), { slot: 2, name: "ża.bin", content_type: "application/octet-stream", size: 3 });
  assert.equal(described({ ...file, type: "Image/PNG" }, 0).content_type, "image/png");
  assert.equal(described({ ...file, type: "text/plain; charset=utf-8" }, 0).content_type, "application/octet-stream");
});

const fileOf = (name) => /** @type {any} */ ({ name, type: "application/pdf", size: 3 });
const signed = async ({ slot }) => ({ url: "/u", fields: { key: String(slot) }, folder: "f" });

test("files go one after another, a failed one can be sent again, a free slot is used again", async () => {
  const seen = [];
  let failing = true;
  const uploads = new Uploads(signed, () => {}, async (_url, { key }, _file, _signal, tell) => {
    seen.push(key);
    tell(50);
    if (key === "1" && failing) throw new Error("broken off");
  });
  uploads.add([fileOf("a"), fileOf("b"), fileOf("c")]);
  await uploads.settled();
  assert.deepEqual(uploads.all.map(({ state }) => state), ["ready", "failed", "ready"]);
  assert.equal(uploads.all[1].reason, "error.upload");
  assert.deepEqual(uploads.count, { ready: 2, failed: 1 });
  failing = false;
  uploads.retry(1);
  await uploads.settled();
  uploads.remove(0);
  uploads.add([fileOf("d")]);
  await uploads.settled();
  assert.deepEqual(seen, ["0", "1", "2", "1", "0"]);
  assert.deepEqual(uploads.sent.map(({ slot, folder, name }) => [slot, folder, name]), [[1, "f", "b"], [2, "f", "c"], [0, "f", "d"]]);
});

test("a file that is taken away on its way is broken off, and the next one goes", async () => {
  /** @type {Uploads} */
  const uploads = new Uploads(signed, () => {}, (_url, { key }, _file, signal) => new Promise((resolve, reject) => {
    if (key === "1") return resolve(undefined);
    signal.addEventListener("abort", () => reject(new Error("aborted")));
    setTimeout(() => uploads.remove(0), 1);
  }));
  uploads.add([fileOf("a"), fileOf("b")]);
  await uploads.settled();
  assert.deepEqual(uploads.all.map(({ file, state }) => [file.name, state]), [["b", "ready"]]);
});

test("what the API says against a file is said at the file", async () => {
  const refusals = [
    [422, "text_refused", "name", "error.file_name"], [422, "invalid", "size", "error.file_size"],
    [422, "invalid", "content_type", "error.file_type"], [429, "too_many_requests", undefined, "error.too_many_requests"],
    [503, "unavailable", undefined, "error.send_again"], [0, "unreachable", undefined, "error.upload"],
  ];
  for (const [status, code, field, reason] of refusals) {
    const uploads = new Uploads(async () => { throw new Refused({ status, code, field }); }, () => {}, async () => {});
    uploads.add([fileOf("a")]);
    await uploads.settled();
    assert.equal(uploads.all[0].reason, reason);
  }
});

/** Every code that the public routes of complaints may answer, with its status. */
const CODES = [
  [400, "malformed"], [403, "origin_refused"], [404, "not_found"], [404, "organisation_unknown"], [409, "conflict"],
  [409, "changed_meanwhile"], [409, "proof_reused"], [410, "proof_expired"], [413, "too_large"],
  [415, "unsupported_media_type"], [422, "proof_refused"], [422, "nothing_submitted"], [422, "invalid"],
  [422, "text_refused"], [422, "email_refused"], [422, "phone_refused"], [422, "submission_refused"],
  [422, "files_too_large"], [422, "wording_changed"], [429, "too_many_requests"], [500, "internal"],
  [503, "unavailable"], [504, "timeout"], [0, "unreachable"],
];

test("every refusal has its sentence in three languages", async () => {
  for (const language of ["en", "pl", "ru"]) {
    const words = JSON.parse(await readFile(new URL(`../../static_site/locales/${language}.json`, import.meta.url), "utf8"));
    for (const [status, code] of CODES) {
      for (const field of [undefined, "email", "insured.phone", "files.3.name", "language"]) {
        const { key } = said({ status, code, field });
        assert.ok(words[key], `${language} ${code} ${key}`);
      }
    }
  }
});

test("a refusal is said at the field that it names, if the page has that field", () => {
  assert.deepEqual(said({ status: 422, code: "email_refused", field: "insured.email" }), { key: "error.email", field: "insured_email" });
  assert.deepEqual(said({ status: 422, code: "submission_refused", field: "product" }), { key: "error.value", field: "product" });
  assert.deepEqual(said({ status: 422, code: "text_refused", field: "files.name" }), { key: "error.text", field: "files" });
  assert.deepEqual(said({ status: 422, code: "invalid", field: "seconds" }), { key: "error.send_again" });
  assert.deepEqual(said({ status: 409, code: "conflict" }), { key: "error.send_again" });
});

test("a proof that is over is renewed, one that was spent asks what came of it", () => {
  assert.equal(aboutProof({ status: 410, code: "proof_expired" }), "renew");
  assert.equal(aboutProof({ status: 422, code: "proof_refused" }), "renew");
  assert.equal(aboutProof({ status: 409, code: "proof_reused" }), "first");
  assert.equal(aboutProof({ status: 429, code: "too_many_requests" }), null);
});

test("a date is the organisation's, in whatever zone it is read", () => {
  assert.equal(dayInWords("2026-11-30", "pl"), "poniedziałek, 30 listopada 2026");
  assert.equal(dayInWords("2026-11-30", "en"), "Monday, 30 November 2026");
});
