/**
 * What a store is held against at its start, so that nothing that was answered for is lost without a word: its journal
 * and its head file. Each throws `damaged` where something is.
 */
import { FirebreakError } from '../../protocol/errors.js';
import type { HeadFile } from './head-file.js';
import type { FoundFrames } from './journal.js';
import { storeDamage } from './store-damage.js';
import type { StateRow } from './store-state.js';

/**
 * The head file may be older than the newest frames, when the power went: what is damaged among them, the journal itself
 * tells. Damage in commits that the store has, or that were read, costs nothing; `commit` is the store's last.
 */
export function requireReadable({ frames, damaged }: FoundFrames, commit: number, dir: string): void {
  const readTo = Math.max(commit, frames.at(-1)?.commit ?? 0);
  if (damaged === undefined || damaged.reaches <= readTo) return;
  const { file, offset, what, reaches } = damaged;
  throw storeDamage(
    `${file} in ${dir} is damaged at byte ${offset}: ${what}; commits up to commit ${reaches} were answered for, and none ` +
      `behind commit ${readTo} can be read`,
  );
}

/** Where there is a commit there was a head file, on the disk before the first was taken. */
export function requireHead({ found, path }: HeadFile, { frames }: FoundFrames, commit: number): void {
  if (found !== undefined || (commit === 0 && frames.length === 0)) return;
  throw storeDamage(`${path}, which tells how far the ledger has answered, is lost`);
}

/** Throws `input` when it is there: what it says is not to be written over. */
export function requireHeadLost({ found, path }: HeadFile): void {
  if (found === undefined) return;
  throw new FirebreakError('input', `${path} is there, and says ${found.size} entries: it stays as it is`);
}

/** The store may be ahead of the head file by commits never answered; behind it, or beside it, it lost something. */
export function requireNotRolledBack({ state, commit }: StateRow, { found }: HeadFile, dir: string): void {
  if (found === undefined || (found.commit < commit && found.size <= state.size)) return;
  if (found.commit === commit && found.checkpoint === state.checkpoint) return;
  const lost =
    found.size === state.size
      ? `ends with commit ${commit} but answered for commit ${found.commit}: its newest answers are lost`
      : `holds ${state.size} entries but answered for ${found.size}: its newest data is lost`;
  throw storeDamage(`the store in ${dir} ${lost}`);
}
