/** What the operating system refused, in words that say what to do; and whether something is there, or only not to be seen. */
import { statSync } from 'node:fs';
import { FirebreakError } from '../protocol/errors.js';

const NOT_THIS_USER = 'this user may not: run it as the user that the folder belongs to';
const NO_ROOM = 'the disk has no room left: make room, then try again';

const WORDS: Partial<Record<string, string>> = {
  ENOENT: 'it is not there',
  EACCES: NOT_THIS_USER,
  EPERM: NOT_THIS_USER,
  EROFS: 'the disk may only be read',
  ENOSPC: NO_ROOM,
  EDQUOT: NO_ROOM,
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is a file, no folder',
};

/** Why a call of the system failed; `undefined` for an error that is none, or of a kind not told apart here. */
export const systemWords = (error: unknown): string | undefined => WORDS[codeOf(error) ?? ''];

/** The same with what Node says of it behind, and that alone where there are no words. */
export function systemReason(error: unknown): string {
  const words = systemWords(error);
  const said = error instanceof Error ? error.message : String(error);
  return words === undefined ? said : `${words} (${said})`;
}

/** Whether the path leads to something. Throws `permission` where that cannot be seen: what may not be read is not missing. */
export function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (cause) {
    throw new FirebreakError('permission', `${path} cannot be looked at: ${systemReason(cause)}`, { cause });
  }
}

/** For a `catch` behind a read: nothing where nothing is there. Throws `permission` for all else, naming the file. */
export function nothingWhenMissing(file: string): (cause: unknown) => undefined {
  return (cause) => {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw new FirebreakError('permission', `${file} cannot be read: ${systemReason(cause)}`, { cause });
  };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
