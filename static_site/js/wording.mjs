// @ts-check
/**
 * A wording as blocks to show. A blank line begins a paragraph, a line that begins with an en dash
 * is an item of a list, other line breaks are for the eye only. A short wording is shown whole; of a
 * long one the beginning is, and the rest stands behind a control that says how long it is.
 */

/** @typedef {{kind: "paragraph", text: string} | {kind: "list", items: string[]}} Block */

const SHOWN_WHOLE = 900;
const OPENING = 350;
const READ_IN_A_MINUTE = 1000;

/**
 * @param {string} text
 * @returns {Block[]}
 */
export function blocks(text) {
  return text.split(/\n\s*\n/).flatMap(paragraph);
}

/**
 * @param {string} text
 * @returns {{opening: Block[], rest: Block[], minutes: number}} `minutes` to read the rest
 */
export function split(text) {
  const all = blocks(text);
  if (text.length <= SHOWN_WHOLE) return { opening: all, rest: [], minutes: 0 };
  let shown = 0;
  let end = 0;
  while (end < all.length && shown + size(all[end]) <= OPENING) shown += size(all[end++]);
  end = Math.max(end, 1);
  const rest = all.slice(end);
  const length = rest.reduce((sum, block) => sum + size(block), 0);
  return { opening: all.slice(0, end), rest, minutes: Math.max(1, Math.round(length / READ_IN_A_MINUTE)) };
}

/**
 * @param {string} text the lines of one paragraph
 * @returns {Block[]}
 */
function paragraph(text) {
  /** @type {Block[]} */
  const found = [];
  let items = /** @type {string[] | null} */ (null);
  for (const line of text.split("\n").map((each) => each.trim()).filter(Boolean)) {
    const last = found[found.length - 1];
    if (line.startsWith("– ")) {
      if (items === null) found.push({ kind: "list", items: (items = []) });
      items.push(line.slice(2));
    } else if (items !== null) {
      items[items.length - 1] += ` ${line}`;
    } else if (last !== undefined && last.kind === "paragraph") {
      last.text += ` ${line}`;
    } else {
      found.push({ kind: "paragraph", text: line });
    }
  }
  return found;
}

/** @param {Block} block */
function size(block) {
  return block.kind === "list" ? block.items.join(" ").length : block.text.length;
}
