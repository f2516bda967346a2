/** Which log a reader's command is about: that of a data folder, or an exported one with the log's key. */
import { stat } from 'node:fs/promises';
import { FirebreakError } from '../../protocol/errors.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { usage } from '../terminal/exit.js';
import { verifierKey } from '../terminal/verifier-key.js';

export const EXPORT_OPTION = ['--export <dir>', 'check an exported folder instead; needs --vkey'] as const;
export const VKEY_OPTION = [
  '--vkey <key>',
  'the log’s public key, as firebreak ledger vkey prints it',
  verifierKey,
] as const;

export interface LogOptions {
  readonly dataDir?: string;
  readonly export?: string;
  readonly vkey?: NoteVerifier;
}

export type NamedLog =
  { readonly dataDir: string } | { readonly exported: string; readonly verifier: NoteVerifier };

/** Throws `usage` unless one log is named, an exported one with its key, and `input` for a folder that is not there. */
export async function namedLog({ dataDir, export: exported, vkey }: LogOptions): Promise<NamedLog> {
  if (exported === undefined) {
    if (dataDir === undefined) throw usage('name a --data-dir DIR, or an exported folder with --export DIR');
    return { dataDir };
  }
  if (dataDir !== undefined) throw usage('name either --data-dir DIR or --export DIR, not both');
  if (vkey === undefined) throw usage('--export needs --vkey KEY, the public key of the log');
  const noFolder = new FirebreakError('input', `there is no folder ${exported}`);
  await stat(exported).catch(() => Promise.reject(noFolder));
  return { exported, verifier: vkey };
}
