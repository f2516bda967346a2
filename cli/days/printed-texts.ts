/**
 * Secrets of which only the prints are left (authority/days/day-key-file.ts), looked for in text: every 32 bytes that a run of hex or
 * base64 can stand for are hashed. That is some three hashes a character, so it is for small files.
 */
import { setImmediate } from 'node:timers/promises';
import { sha256Text } from '../../protocol/crypto/hash.js';
import type { DestroyedDays } from './destroyed-days.js';
import type { FoundSecret, Span } from './secret-search.js';

const SECRET_BYTES = 32;
/** The fewest characters that a secret can be written in: base64. */
const SHORTEST = 43;
/** Of either alphabet (RFC 4648 §4, §5), over lines that hold nothing else, indented or not. */
const RUNS = /[A-Za-z0-9+/_-]+(?:[ \t]{0,8}\r?\n[ \t]{0,8}[A-Za-z0-9+/_-]+)*/g;
const HEX_RUNS = /[0-9A-Fa-f]{64,}/g;

const HEX = { encoding: 'hex', bits: 4, phases: [0, 1] } as const;
/** Where the text begins that the run is a part of is not known. */
const BASE64 = { encoding: 'base64', bits: 6, phases: [0, 1, 2, 3] } as const;

/** Gives the event loop a turn after each run and phase. */
export async function findPrinted(bytes: Buffer, days: DestroyedDays): Promise<readonly FoundSecret[]> {
  const byPrint = new Map<string, number>();
  for (const [day, prints] of days)
    for (const print of prints) byPrint.set(Buffer.from(print).toString('latin1'), day);
  if (byPrint.size === 0) return [];
  const found: FoundSecret[] = [];
  for (const { 0: run, index } of bytes.toString('latin1').matchAll(RUNS)) {
    const text = run.replaceAll(/[ \t\r\n]/g, '');
    if (text.length < SHORTEST) continue;
    const where = placesOf(run, index);
    for (const { 0: hex, index: at } of text.matchAll(HEX_RUNS))
      found.push(...(await decoded(hex, HEX, where.slice(at), byPrint)));
    // Of a run of hex digits alone no part is base64: 43 characters would have to be such by chance.
    if (/[^0-9A-Fa-f]/.test(text)) found.push(...(await decoded(text, BASE64, where, byPrint)));
  }
  return found;
}

/** Where each character stands in the file, line breaks and indentation left out. */
function placesOf(run: string, index: number): number[] {
  const where: number[] = [];
  for (let i = 0; i < run.length; i++) if (!' \t\r\n'.includes(run.charAt(i))) where.push(index + i);
  return where;
}

async function decoded(
  text: string,
  { encoding, bits, phases }: typeof HEX | typeof BASE64,
  where: readonly number[],
  byPrint: ReadonlyMap<string, number>,
): Promise<FoundSecret[]> {
  const found: FoundSecret[] = [];
  for (const phase of phases) {
    const bytes = Buffer.from(text.slice(phase), encoding);
    for (let at = 0; at + SECRET_BYTES <= bytes.length; at++) {
      const day = byPrint.get(sha256Text(bytes.subarray(at, at + SECRET_BYTES)));
      if (day === undefined) continue;
      const from = phase + Math.floor((at * 8) / bits);
      const to = phase + Math.ceil(((at + SECRET_BYTES) * 8) / bits);
      found.push({ day, spans: where.slice(from, to).map((one): Span => [one, one + 1]) });
    }
    bytes.fill(0);
    await setImmediate();
  }
  return found;
}
