// S48, R9, R18: which tokens the page takes to a server at all, and that none stays in the address.
import assert from "node:assert/strict";
import { test } from "node:test";

import { looksLikeToken, orgOf, takeToken } from "../../static_site/js/link.mjs";

/** @param {Buffer} claims */
const token = (claims) => `v1.k1.${claims.toString("base64url")}.${"A".repeat(43)}`;
/** @param {string} slug */
const named = (slug, length = slug.length) =>
  token(Buffer.concat([Buffer.from([length]), Buffer.from(slug), Buffer.alloc(42, 255)]));

test("the organisation is read from the claims, whatever their padding would be", () => {
  for (const slug of ["abc", "polisa", "polisa-2", "a".repeat(24)]) assert.equal(orgOf(named(slug)), slug);
});

test("garbage names no organisation", () => {
  const good = named("polisa");
  const garbage = [
    "", "v1", "null", "v1.k1..", good.slice(0, -1), `${good}A`, ` ${good}`, `${good}\n`, good.replace("v1", "v2"),
    good.replace(".k1.", ".K1."), good.replace(".k1.", "..")
  ];
  for (const each of [...garbage, "v1.k1.A.".padEnd(60, "A"), "é", "v1.k1.żółć." + "A".repeat(43)]) {
    assert.equal(orgOf(each), null, each);
  }
});

test("a slug that could lead a request elsewhere is refused", () => {
  for (const slug of ["..", "../x", "a/b", "A-b", "-ab", "ab-", "a b", "a%2f", "ab", "żółw", "a".repeat(25)]) {
    assert.equal(orgOf(named(slug)), null, slug);
  }
});

test("a length that reaches past the claims is refused", () => {
  assert.equal(orgOf(named("polisa", 200)), null);
  assert.equal(orgOf(named("polisa", 0)), null);
  assert.equal(orgOf(token(Buffer.from([7, ...Buffer.from("polisa")]))), null);
});

test("the token leaves the address, and fragment and query with it", () => {
  const replaced = [];
  const history = { replaceState: (...state) => replaced.push(state) };
  assert.equal(takeToken({ hash: "#v1.a.b.c", pathname: "/c" }, history), "v1.a.b.c");
  assert.equal(takeToken({ hash: "", pathname: "/c" }, history), "");
  assert.equal(takeToken({ hash: "#main-content", pathname: "/c" }, history), "");
  assert.deepEqual(replaced, [[null, "", "/c"], [null, "", "/c"], [null, "", "/c"]]);
});

test("a place on the page is no token", () => {
  assert.equal(looksLikeToken("#main-content"), false);
  assert.equal(looksLikeToken("#"), false);
  assert.equal(looksLikeToken("#anything-else"), true);
});
