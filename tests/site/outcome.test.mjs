// R5, R14, R16, R24: every refusal of the link routes has its page or its sentence.
import assert from "node:assert/strict";
import { test } from "node:test";

import { post, Refused } from "../../static_site/js/api.mjs";
import { complaint, ending, outdated } from "../../static_site/js/outcome.mjs";

/** @param {number} status @param {string} code @param {string} [field] */
const refusal = (status, code, field) => ({ status, code, field });

test("a link ends on the page of its code", () => {
  assert.equal(ending(refusal(400, "link_invalid")), "invalid");
  for (const name of ["expired", "superseded", "withdrawn", "closed"]) {
    assert.equal(ending(refusal(410, `link_${name}`)), name);
  }
  assert.equal(ending(refusal(404, "not_found")), "invalid");
  assert.equal(ending(refusal(410, "something_new")), "closed");
});

test("what may pass is no end", () => {
  for (const [status, code] of [[0, "unreachable"], [409, "conflict"], [422, "x"], [429, "y"], [500, "z"], [503, "q"]]) {
    assert.equal(ending(refusal(status, code)), null);
  }
});

test("answers that changed, or stand already, are read again and said to be so", () => {
  assert.equal(outdated(refusal(409, "answers_changed")), "choice.changed");
  assert.equal(outdated(refusal(409, "already_confirmed")), "registered.already");
  assert.equal(outdated(refusal(409, "conflict")), null);
});

test("every other refusal keeps the choice and says what to do", () => {
  assert.equal(complaint(refusal(422, "decision_missing", "decision")), "error.decision_missing");
  assert.equal(complaint(refusal(422, "digest_missing", "digest")), "error.try_again");
  assert.equal(complaint(refusal(429, "too_many_requests")), "error.too_many_requests");
  for (const status of [0, 409, 500, 503]) assert.equal(complaint(refusal(status, "?")), "error.try_again");
});

/** @param {() => Promise<Response>} send @param {object} expected */
const refuses = (send, expected) =>
  assert.rejects(post("/x", {}, send), (failure) => {
    assert.ok(failure instanceof Refused);
    assert.deepEqual(failure.refusal, expected);
    return true;
  });

test("a refusal keeps status, code and field", async () => {
  const body = JSON.stringify({ code: "decision_missing", field: "decision", message: "no" });
  await refuses(async () => new Response(body, { status: 422 }), refusal(422, "decision_missing", "decision"));
});

test("no network, and a page that is not ours, are unreachable", async () => {
  await refuses(() => Promise.reject(new TypeError("offline")), { status: 0, code: "unreachable" });
  await refuses(async () => new Response("<h1>Hotel Wi-Fi</h1>"), { status: 0, code: "unreachable" });
});

test("a gateway's error without JSON keeps its status", async () => {
  await refuses(async () => new Response("<html>", { status: 429 }), refusal(429, "unreachable", undefined));
});

test("an accepted request need not say anything", async () => {
  assert.deepEqual(await post("/x", {}, async () => new Response("", { status: 202 })), {});
});

test("a request carries no cookie and no referrer, and waits for no cache", async () => {
  let asked;
  await post("/x", { token: "t" }, async (path, init) => {
    asked = { path, ...init };
    return new Response("{}");
  });
  const { path, method, credentials, referrerPolicy, cache, redirect, body } = asked;
  assert.deepEqual(
    { path, method, credentials, referrerPolicy, cache, redirect, body },
    {
      path: "/x", method: "POST", credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store",
      redirect: "error", body: '{"token":"t"}',
    },
  );
});
