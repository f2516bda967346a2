/** The reader of test/interop/reader, built with other people's C2SP libraries. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { buildOnForky } from './go-forky.js';
import { refusalIn, type Verdict } from './go-auditor.js';

const run = promisify(execFile);
const TIMEOUT_MS = 90_000;

export interface Reader {
  /** `log` is a URL or a folder, `policy` a file; with `older`, a file, it must continue that checkpoint. */
  read(log: string, policy: string, older?: string): Promise<Verdict>;
  /** A tlog-proof file. */
  checkProof(file: string, policy: string): Promise<Verdict>;
  /** Its own proof of an entry, as the text of a file. */
  prove(log: string, policy: string, index: number): Promise<string>;
}

/** Builds into `folder`. */
export async function buildReader(folder: string): Promise<Reader> {
  const program = await buildOnForky('reader', folder);
  const answerTo = (...args: readonly string[]) => run(program, args, { timeout: TIMEOUT_MS });
  const verdict = (...args: readonly string[]): Promise<Verdict> =>
    answerTo(...args).then(
      ({ stdout }) => ({ ok: true, said: stdout.trim() }),
      (error: unknown) => ({ ok: false, said: refusalIn(error) }),
    );
  return {
    read: (log, policy, older) =>
      verdict('-policy', policy, ...(older === undefined ? [] : ['-older', older]), log),
    checkProof: (file, policy) => verdict('-policy', policy, '-proof', file),
    prove: async (log, policy, index) =>
      (await answerTo('-policy', policy, '-prove', String(index), log)).stdout,
  };
}
