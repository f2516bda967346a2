/**
 * C2SP tlog-policy: whose signatures a checkpoint needs, as a text file of lines:
 *
 *     log <vkey> [<url>]
 *     witness <name> <vkey> [<url>]              the url is the witness' submission prefix (tlog-witness)
 *     group <name> all|any|<k> <name>...         k of these must have witnessed
 *     quorum <name>|none                         exactly one
 *
 * Fields stand apart by spaces and tabs; empty lines and lines that begin with # are passed over; every line
 * ends in a newline. A name is defined once, before it is used, and is the member of one group at most. Keys
 * of logs are of type 0x01 (note.ts), keys of witnesses of type 0x04 (cosignature.ts). Bounds of ours: 256
 * KiB, 64 each of logs, witnesses and groups, UTF-8 outside of comments.
 */
import { toHex } from '../bytes.js';
import { parseCosignerKey } from './cosignature.js';
import { FirebreakError } from '../errors.js';
import { parseVerifierKey } from './note.js';
import { utf8Text } from './text-forms.js';
import type { PolicyGroup, PolicyLog, PolicyWitness, WitnessPolicy } from './witness-policy.js';

const MAX_POLICY_BYTES = 256 * 1024;
const MAX_EACH = 64;
const NONE = 'none';

interface Draft {
  readonly logs: PolicyLog[];
  readonly witnesses: PolicyWitness[];
  readonly groups: PolicyGroup[];
  /** Names that are defined, and whether they are the member of a group already. */
  readonly names: Map<string, boolean>;
  /** Public keys, with what they are for. */
  readonly keys: Set<string>;
  /** `null` until the quorum line is read; `undefined` when that says none. */
  quorum: string | undefined | null;
}

const wrong = (why: string, cause?: unknown) => new FirebreakError('format', why, { cause });

/** Throws `format`, with the number of the line. */
export function parsePolicy(file: string | Uint8Array): WitnessPolicy {
  const draft: Draft = {
    logs: [],
    witnesses: [],
    groups: [],
    names: new Map(),
    keys: new Set(),
    quorum: null,
  };
  linesOf(file).forEach((line, i) => {
    try {
      takeLine(draft, line);
    } catch (cause) {
      throw wrong(`line ${i + 1} of the policy: ${(cause as Error).message}`, cause);
    }
  });
  const { logs, witnesses, groups, quorum } = draft;
  if (quorum === null) throw wrong('the policy has no quorum line: say quorum NAME, or quorum none');
  return { logs, witnesses, groups, quorum };
}

function linesOf(file: string | Uint8Array): Buffer[] {
  const bytes = Buffer.from(file);
  if (bytes.length > MAX_POLICY_BYTES) throw wrong('the policy is over 256 KiB');
  if (bytes.length > 0 && bytes.at(-1) !== 0x0a)
    throw wrong('the last line of the policy does not end in a newline: it may have been cut off');
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0x0a, at);
    lines.push(bytes.subarray(at, end));
    at = end + 1;
  }
  return lines;
}

function takeLine(draft: Draft, line: Buffer): void {
  if (line.some((octet) => (octet < 0x20 && octet !== 0x09) || octet === 0x7f))
    throw wrong('it holds a control character');
  if (/^[ \t]*(#|$)/.test(line.toString('latin1'))) return;
  const text = utf8Text(line);
  if (text === undefined) throw wrong('it is not UTF-8');
  const fields = text.split(/[ \t]+/).filter((field) => field !== '');
  const [keyword, ...rest] = fields;
  if (keyword === 'log') takeLog(draft, rest);
  else if (keyword === 'witness') takeWitness(draft, rest);
  else if (keyword === 'group') takeGroup(draft, rest);
  else if (keyword === 'quorum') takeQuorum(draft, rest);
  else throw wrong('it must begin with log, witness, group or quorum');
}

function takeLog(draft: Draft, fields: readonly string[]): void {
  const [vkey, url, ...more] = fields;
  if (vkey === undefined || more.length > 0) throw wrong('a log line is "log VKEY [URL]"');
  requireRoom(draft.logs, 'logs');
  const verifier = parseVerifierKey(vkey);
  claimKey(draft, 'log', verifier.publicKey);
  draft.logs.push({ verifier, url });
}

function takeWitness(draft: Draft, fields: readonly string[]): void {
  const [name, vkey, url, ...more] = fields;
  if (name === undefined || vkey === undefined || more.length > 0)
    throw wrong('a witness line is "witness NAME VKEY [URL]"');
  requireRoom(draft.witnesses, 'witnesses');
  const cosigner = parseCosignerKey(vkey);
  claimKey(draft, 'witness', cosigner.cosignerKey);
  define(draft, name);
  draft.witnesses.push({ name, cosigner, url });
}

function takeGroup(draft: Draft, fields: readonly string[]): void {
  const [name, count, ...members] = fields;
  if (name === undefined || count === undefined || members.length === 0)
    throw wrong('a group line is "group NAME all|any|K MEMBER..."');
  requireRoom(draft.groups, 'groups');
  const threshold = thresholdOf(count, members.length);
  for (const member of members) join(draft, member);
  define(draft, name);
  draft.groups.push({ name, threshold, members });
}

function thresholdOf(count: string, members: number): number {
  if (count === 'all') return members;
  if (count === 'any') return 1;
  const threshold = Number(count);
  if (/^[1-9]\d*$/.test(count) && threshold <= members) return threshold;
  throw wrong(`the group needs all, any, or a number from 1 to ${members}, not ${count}`);
}

function takeQuorum(draft: Draft, fields: readonly string[]): void {
  const [name, ...more] = fields;
  if (name === undefined || more.length > 0) throw wrong('a quorum line is "quorum NAME" or "quorum none"');
  if (draft.quorum !== null) throw wrong('there is a quorum line already');
  if (name !== NONE && !draft.names.has(name)) throw undefinedName(name);
  draft.quorum = name === NONE ? undefined : name;
}

function define(draft: Draft, name: string): void {
  if (name === NONE) throw wrong('nobody may be called none');
  if (draft.names.has(name)) throw wrong(`${name} is defined already`);
  draft.names.set(name, false);
}

function join(draft: Draft, member: string): void {
  const isMember = draft.names.get(member);
  if (isMember === undefined) throw undefinedName(member);
  if (isMember) throw wrong(`${member} is the member of a group already`);
  draft.names.set(member, true);
}

const undefinedName = (name: string) => wrong(`${name} is not defined on a line before`);

/** Two names on one key would be one party counted twice. */
function claimKey(draft: Draft, what: 'log' | 'witness', publicKey: Uint8Array): void {
  const key = `${what} ${toHex(publicKey)}`;
  if (draft.keys.has(key)) throw wrong(`another ${what} has the same key`);
  draft.keys.add(key);
}

function requireRoom(list: readonly unknown[], what: string): void {
  if (list.length >= MAX_EACH) throw wrong(`there are more than ${MAX_EACH} ${what}`);
}
