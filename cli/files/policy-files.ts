/** Witness policies as files (C2SP tlog-policy): those a person names, and the one a ledger keeps. */
import { readFile } from 'node:fs/promises';
import { FirebreakError } from '../../protocol/errors.js';
import { parsePolicy } from '../../protocol/tlog/policy-file.js';
import type { WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { readInputFile } from './input-file.js';

const MAX_POLICY_BYTES = 256 * 1024;

/** `--policy` of a command that reads the log. */
export const POLICY_OPTION = [
  '--policy <file>',
  'refuse a checkpoint that these witnesses have not cosigned (C2SP tlog-policy)',
] as const;

/** A policy, and the bytes it was read from. */
export interface PolicyFile {
  readonly policy: WitnessPolicy;
  readonly bytes: Uint8Array;
}

/** Throws `input` for a file that cannot be read or is no policy. */
export async function readPolicyFile(file: string): Promise<PolicyFile> {
  const bytes = await readInputFile(file, MAX_POLICY_BYTES);
  return { policy: parse(file, bytes, 'input'), bytes };
}

/** The policy in the file of an option; nothing to spread when the option was not given. */
export async function policyOption(file: string | undefined): Promise<{ readonly policy?: WitnessPolicy }> {
  return file === undefined ? {} : { policy: (await readPolicyFile(file)).policy };
}

/** The policy a ledger was given before; `undefined` for none. Throws `damaged` when it cannot be read. */
export async function keptPolicy(file: string): Promise<WitnessPolicy | undefined> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return bytes && parse(file, bytes, 'damaged');
}

/** Whether a ledger was given a policy before that asks for witnesses; one that cannot be read did, for all that is known. */
export async function asksForWitnesses(file: string): Promise<boolean> {
  try {
    return (await keptPolicy(file))?.quorum !== undefined;
  } catch {
    return true;
  }
}

function parse(file: string, bytes: Uint8Array, code: 'input' | 'damaged'): WitnessPolicy {
  try {
    return parsePolicy(bytes);
  } catch (cause) {
    throw new FirebreakError(code, `${file}: ${(cause as Error).message}`, { cause });
  }
}
