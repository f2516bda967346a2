/**
 * Who may ask: bearer tokens, known by their hashes only. As text, a line a token, blank lines and lines that begin
 * with # apart:
 *
 *     <SHA-256 of the token, 64 hex digits> <roles, separated by commas> <name, as it is recorded>
 *
 *     9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 officer Dr. Wu
 */
import { timingSafeEqual } from 'node:crypto';
import { fromHex, toHex } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { isPlain } from '../../protocol/plain-text.js';
import { MAX_RECORDED_BYTES } from '../looks/recorded-words.js';

/** An officer may ask everything; an operator how the tracer is. */
export const ROLES = ['officer', 'operator'] as const;
export type Role = (typeof ROLES)[number];

/** Whom a token stands for. */
export interface Bearer {
  readonly roles: readonly Role[];
  /** Absent for the folder's own token: there the question says who asks. */
  readonly officer?: string;
}

export interface KnownToken {
  readonly sha256: Uint8Array;
  readonly bearer: Bearer;
}

const PREFIX = 'fbt_';
const TOKEN_BYTES = 32;
const LINE = /^([0-9a-f]{64}) ([a-z]+(?:,[a-z]+)*) (\S.*)$/;

/** A token of 32 random bytes, as it is shown once: easy to tell from other secrets, and safe in a header. */
export function tokenOf(random: Uint8Array): string {
  if (random.length !== TOKEN_BYTES) throw new RangeError(`a token is made of ${TOKEN_BYTES} bytes`);
  return `${PREFIX}${Buffer.from(random).toString('base64url')}`;
}

/** Of a token as it is shown. Tokens are as random as a key, so that one round is enough. */
export const tokenHash = (token: string): Uint8Array => sha256(Buffer.from(token));

export const NAME_RULE = `a name has 1 to ${MAX_RECORDED_BYTES} bytes on one line, no control or format characters, and no space at its ends`;

/** A line for the file. Throws `input` for a name that cannot be recorded. */
export function tokenLine(token: string, name: string, roles: readonly Role[]): string {
  if (!isName(name)) throw new FirebreakError('input', NAME_RULE);
  return `${toHex(tokenHash(token))} ${roles.join(',')} ${name}\n`;
}

/** Throws `damaged`, with the number of the line and none of its words. */
export function parseTokens(text: string): KnownToken[] {
  const seen = new Set<string>();
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return [];
    const [, hash = '', roles = '', officer = ''] = LINE.exec(line) ?? [];
    const given = roles.split(',');
    const known = ROLES.filter((role) => given.includes(role));
    if (!isName(officer) || known.length !== given.length || seen.has(hash))
      throw new FirebreakError(
        'damaged',
        `line ${index + 1} must be the SHA-256 of a token of its own in hex, ${ROLES.join(' or ')}, and a name`,
      );
    seen.add(hash);
    return [{ sha256: fromHex(hash), bearer: { officer, roles: known } }];
  });
}

/** Whom a token stands for. It takes as long for every token that is none. */
export function bearerOf(shown: string, tokens: readonly KnownToken[]): Bearer | undefined {
  const hash = tokenHash(shown);
  let found: Bearer | undefined;
  for (const token of tokens) if (timingSafeEqual(token.sha256, hash)) found = token.bearer;
  return found;
}

/** Whether a look can be recorded in this name, and a file of tokens can hold it ({@link NAME_RULE}). */
export function isName(name: string): boolean {
  return (
    name !== '' && name.trim() === name && isPlain(name) && Buffer.byteLength(name) <= MAX_RECORDED_BYTES
  );
}
