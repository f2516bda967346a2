/** Who looks and why, as a look is recorded (protocol.md §10, type 6), and what is said of it. */
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import pc from 'picocolors';
import { isPlain, plain } from '../../protocol/plain-text.js';
import type { Look } from '../../tracer/looks/access.js';
import { MAX_RECORDED_BYTES, PLAIN_WORDS, RECORDED_ROOM } from '../../tracer/looks/recorded-words.js';
import { usage } from './exit.js';

const PURPOSE = 'outbreak investigation';

export interface LookOptions {
  readonly officer?: string;
  readonly purpose?: string;
}

export function withLookOptions(command: Command): Command {
  return command
    .option(
      '--officer <name>',
      'who looks, as it is recorded; by default your login name',
      wordsOf('--officer'),
    )
    .option('--purpose <text>', `why, as it is recorded; by default “${PURPOSE}”`, wordsOf('--purpose'));
}

/** Throws `usage` where nobody is named and whoever is logged in has no name. */
export const lookOf = ({ officer, purpose }: LookOptions): Look => ({
  officer: officer ?? loginName(),
  purpose: purpose ?? PURPOSE,
});

/** What is typed for the record, as the recorder takes it. Throws `usage`. */
const wordsOf = (option: string) => (words: string) => {
  if (words.trim() === '') throw usage(`${option} is empty: a look is recorded with who looks and why`);
  const bytes = Buffer.byteLength(words);
  if (bytes > MAX_RECORDED_BYTES) throw usage(`${option} has ${bytes} bytes: ${RECORDED_ROOM} are recorded`);
  if (!isPlain(words)) throw usage(`${option} must be ${PLAIN_WORDS}: people are shown it`);
  return words;
};

function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    throw usage('say who looks: --officer NAME');
  }
}

/** What was recorded and, where it was not said, how to say who looks and why. */
export function recordedLines(accessIndex: number, { officer, purpose }: Look, given: LookOptions): string[] {
  const unsaid = [
    ...(given.officer === undefined ? ['who looks with --officer'] : []),
    ...(given.purpose === undefined ? ['why with --purpose'] : []),
  ];
  const hint = `say ${unsaid.join(' and ')}: those whom a look reached are shown it`;
  return [
    pc.dim(`recorded as ledger entry ${accessIndex}: ${plain(`${officer}, ${purpose}`)}`),
    ...(unsaid.length > 0 ? [pc.yellow(hint)] : []),
    '',
  ];
}
