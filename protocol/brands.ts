/** Numbers that must not be mixed up carry a brand. `as…` checks the range and throws `format`. */
import { FirebreakError } from './errors.js';

declare const brand: unique symbol;
type Brand<Name extends string> = number & { readonly [brand]: Name };

/** 48-bit number given to a tag at enrolment (protocol.md §3). */
export type TagNumber = Brand<'TagNumber'>;
/** ⌊unix seconds / 900⌋ (protocol.md §2). */
export type Epoch = Brand<'Epoch'>;
/** Milliseconds since 1970-01-01T00:00Z. */
export type UnixMs = Brand<'UnixMs'>;
/** Number of leaves in a Merkle tree. */
export type TreeSize = Brand<'TreeSize'>;

function inRange(value: number, max: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
  throw new FirebreakError('format', `${what} must be a whole number from 0 to ${max}, not ${value}`);
}

export const MAX_TAG_NUMBER = 2 ** 48 - 1;

export const asTagNumber = (value: number) => inRange(value, MAX_TAG_NUMBER, 'a tag number') as TagNumber;

/** As a person writes it, in at most 15 decimal digits; `undefined` for what is no tag number. */
export function tagNumberIn(digits: string): TagNumber | undefined {
  const isOne = /^\d{1,15}$/.test(digits) && Number(digits) <= MAX_TAG_NUMBER;
  return isOne ? asTagNumber(Number(digits)) : undefined;
}

export const asEpoch = (value: number) => inRange(value, 2 ** 32 - 1, 'an epoch') as Epoch;
export const asUnixMs = (value: number) => inRange(value, Number.MAX_SAFE_INTEGER, 'a time in ms') as UnixMs;
export const asTreeSize = (value: number) =>
  inRange(value, Number.MAX_SAFE_INTEGER, 'a tree size') as TreeSize;
