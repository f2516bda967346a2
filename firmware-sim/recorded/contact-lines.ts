/**
 * Recorded contacts, line by line (tracing.md, "Replaying recorded contacts"): `t i j [class_i class_j]`, separated by
 * tabs, spaces or commas: persons i and j were in contact during [t − 20 s, t). Pure; contacts-file.ts reads files.
 */
import { FirebreakError } from '../../protocol/errors.js';

export interface ContactLine {
  /** Unix seconds, shifted where the file counts from its own zero. */
  readonly t: number;
  readonly i: number;
  readonly j: number;
}

export const STEP_SECONDS = 20;
/** 2023-11-15T00:00Z: recordings that count from zero start on that day. */
const SHIFT_SECONDS = 1_700_006_400;
const SHIFT_BELOW = 1_000_000_000;
const MAX_SECONDS = 0xffff_ffff - 86_400;
const MAX_PERSON = 2 ** 48 - 1;
const SEPARATOR = /\s*,\s*|\s+/;
const SHOWN_CHARACTERS = 60;

/**
 * The contact of a line, `undefined` for a blank one or one that begins with #. Throws `input`, naming the source, the
 * line and what is wrong with it.
 */
export function parseContactLine(text: string, lineNumber: number, source: string): ContactLine | undefined {
  const line = text.replace(/^\uFEFF/, '').trim();
  if (line === '' || line.startsWith('#')) return undefined;
  const fields = line.split(SEPARATOR);
  const fail = (what: string): never => {
    throw new FirebreakError('input', `${source}, line ${lineNumber}: ${what} in "${shown(line)}"`);
  };
  const [t = '', i = '', j = ''] = fields;
  if (fields.length !== 3 && fields.length !== 5) {
    fail(
      `expected "t i j" or "t i j class class", found ${fields.length} ${fields.length === 1 ? 'field' : 'fields'}`,
    );
  }
  if (fields.includes('')) fail('a field is empty');
  return { t: timeOf(t, fail), i: personOf(i, 'i', fail), j: personOf(j, 'j', fail) };
}

function timeOf(field: string, fail: (what: string) => never): number {
  const t = wholeNumber(field);
  if (t === undefined) return fail('the time t is not a whole number of seconds');
  if (t % STEP_SECONDS !== 0) return fail(`the time t is not a multiple of ${STEP_SECONDS}`);
  if (t > MAX_SECONDS) return fail('the time t is too large for unix seconds');
  return t < SHIFT_BELOW ? t + SHIFT_SECONDS : t;
}

function personOf(field: string, name: string, fail: (what: string) => never): number {
  const person = wholeNumber(field);
  if (person !== undefined && person <= MAX_PERSON) return person;
  return fail(`the person ${name} is not a whole number from 0 to 2^48 - 1`);
}

function wholeNumber(field: string): number | undefined {
  const value = /^\d{1,16}$/.test(field) ? Number(field) : NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Without what a terminal would act on, or cannot show. */
function shown(line: string): string {
  const printable = line.replace(/[\p{C}\uFFFD]/gu, '·');
  return printable.length <= SHOWN_CHARACTERS ? printable : `${printable.slice(0, SHOWN_CHARACTERS)}…`;
}
