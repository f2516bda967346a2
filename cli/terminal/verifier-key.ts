/** A log's public key as an option: a wrong one ends the command with exit code 2. */
import { InvalidArgumentError } from 'commander';
import { parseVerifierKey } from '../../protocol/tlog/note.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';

export function verifierKey(text: string): NoteVerifier {
  try {
    return parseVerifierKey(text);
  } catch {
    throw new InvalidArgumentError('It must be a key as firebreak ledger vkey prints it.');
  }
}
