// @ts-check
/**
 * The token of a link: `v1.<kid>.<claims>.<mac>`, carried in the fragment, which reaches no server
 * log and no referrer. Only the server can judge a token; the page reads one thing from it, the
 * organisation, because that is part of the path it asks.
 */

const SHAPE = /^v1\.[a-z0-9]{1,8}\.([A-Za-z0-9_-]{1,200})\.[A-Za-z0-9_-]{43}$/;
const ORGANISATION = /^[a-z][a-z0-9-]{1,22}[a-z0-9]$/;

/**
 * The slug of the organisation that a token names, or null where it can't be a token of ours.
 * @param {string} token
 * @returns {string | null}
 */
export function orgOf(token) {
  const shape = SHAPE.exec(token);
  if (shape === null || shape[1].length % 4 === 1) return null;
  const bytes = atob(shape[1].replace(/-/g, "+").replace(/_/g, "/"));
  const length = bytes.charCodeAt(0);
  const slug = bytes.slice(1, 1 + length);
  return slug.length === length && isOrganisation(slug) ? slug : null;
}

/**
 * Whether this could be the slug of an organisation.
 * @param {string} slug
 */
export function isOrganisation(slug) {
  return ORGANISATION.test(slug);
}

/**
 * Whether a fragment is meant as a token; `#main-content` and the like are places on the page.
 * @param {string} hash
 */
export function looksLikeToken(hash) {
  return hash.length > 1 && hash !== "#main-content";
}

/**
 * Takes the token out of the address and leaves neither fragment nor query behind (R18). What is
 * returned is the only copy: nothing is written to storage. An empty string where there was none.
 * @param {Pick<Location, "hash" | "pathname">} location
 * @param {Pick<History, "replaceState">} history
 * @returns {string}
 */
export function takeToken(location, history) {
  const { hash } = location;
  history.replaceState(null, "", location.pathname);
  return looksLikeToken(hash) ? hash.slice(1) : "";
}
