// @ts-check
/**
 * Several mistakes at once, as the error summary says them: each leads to its control, which repeats
 * the sentence and is marked as wrong.
 */

import { clone, find, findAll } from "./dom.mjs";

/** @typedef {import("./refusals.mjs").Said} Said */
/** @typedef {import("./screen.mjs").Screen} Screen */

/**
 * @param {Screen} screen
 * @param {readonly Said[]} problems
 */
export function showProblems(screen, problems) {
  clearProblems(screen);
  const content = clone("error-summary");
  const list = find(content, "ul");
  list.replaceChildren(...problems.map((problem) => entry(screen, problem)));
  for (const { key, field } of problems) if (field !== undefined) mark(screen.region, field, key);
  screen.region.prepend(content);
  screen.refresh();
  find(screen.region, ".error-summary").focus();
}

/** @param {Screen} screen */
export function clearProblems(screen) {
  screen.region.querySelector(".error-summary")?.remove();
  for (const message of findAll(screen.region, "[data-error]")) unmark(screen.region, message);
  screen.refresh();
}

/**
 * Says one mistake at its control alone, without taking the focus.
 * @param {Screen} screen
 * @param {string} field
 * @param {string | null} key null takes it back
 */
export function noteProblem(screen, field, key) {
  const message = find(screen.region, `#${field}-error`);
  unmark(screen.region, message);
  if (key !== null) mark(screen.region, field, key);
  screen.refresh();
}

/**
 * @param {Screen} screen
 * @param {Said} problem
 */
function entry(screen, { key, field }) {
  const item = document.createElement("li");
  const said = document.createElement(field === undefined ? "span" : "a");
  said.dataset.i18n = key;
  item.append(said);
  if (field === undefined) return item;
  said.setAttribute("href", `#${field}`);
  said.addEventListener("click", (event) => {
    event.preventDefault();
    const control = find(screen.region, `#${field}`);
    control.closest("details")?.setAttribute("open", "");
    control.focus();
  });
  return item;
}

/**
 * @param {ParentNode} root
 * @param {string} field
 * @param {string} key
 */
function mark(root, field, key) {
  const message = find(root, `#${field}-error`);
  message.hidden = false;
  find(message, "[data-said]").dataset.i18n = key;
  message.closest("[data-group]")?.classList.add("wrong");
  message.closest("details")?.setAttribute("open", "");
  const control = described(root, message);
  if (control === null) return;
  control.setAttribute("aria-describedby", `${message.id} ${before(control, message)}`.trim());
  if (control.tagName !== "FIELDSET") control.setAttribute("aria-invalid", "true");
}

/**
 * @param {ParentNode} root
 * @param {HTMLElement} message
 */
function unmark(root, message) {
  message.hidden = true;
  message.closest("[data-group]")?.classList.remove("wrong");
  const control = described(root, message);
  if (control === null) return;
  control.removeAttribute("aria-invalid");
  const rest = before(control, message);
  if (rest === "") control.removeAttribute("aria-describedby");
  else control.setAttribute("aria-describedby", rest);
}

/** @param {ParentNode} root @param {HTMLElement} message @returns {HTMLElement | null} */
function described(root, message) {
  return message.closest("fieldset") ?? root.querySelector(`#${message.id.replace(/-error$/, "")}`);
}

/** @param {HTMLElement} control @param {HTMLElement} message */
function before(control, message) {
  const told = (control.getAttribute("aria-describedby") ?? "").split(" ");
  return told.filter((id) => id !== message.id).join(" ");
}
