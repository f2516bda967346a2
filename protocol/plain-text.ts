/**
 * Text that one party wrote and another is shown on a terminal. Control characters move the cursor and erase,
 * format characters turn and hide what stands beside them, line and paragraph separators forge lines. Two
 * format characters only say whether letters join, and names in some scripts need them (U+200C, U+200D): they
 * stay.
 */
const UNSAFE = /(?![\u200c\u200d])[\p{C}\p{Zl}\p{Zp}]/gu;

/** One line, with nothing in it that a terminal would obey. */
export const isPlain = (text: string): boolean => text.search(UNSAFE) < 0;

/** The text as it may be shown: what is not plain stands as U+FFFD, a character for each. */
export const plain = (text: string): string => text.replace(UNSAFE, '\ufffd');

/** The same JSON with every character in its strings plain, the others escaped. */
export const plainJson = (json: string): string =>
  json.replace(UNSAFE, (found) => (found === '\n' ? found : found.split('').map(escaped).join('')));

/** A UTF-16 unit in JSON. */
const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
