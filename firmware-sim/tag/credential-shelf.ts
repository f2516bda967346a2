/**
 * The credentials a tag holds, day by day, and what it keeps of past days: sealing keys for reports that are late, and
 * the auth key of each day's first epoch, by which it recognises notices (protocol.md §7).
 */
import { asEpoch } from '../../protocol/brands.js';
import type { Epoch } from '../../protocol/brands.js';
import { concat, equalBytes } from '../../protocol/bytes.js';
import type { CredentialPack, PackEpoch } from '../../protocol/tag/credential-pack.js';
import type { DayKeyStatement } from '../../protocol/session/day-key-statement.js';
import { dayOfEpoch, EPOCHS_PER_DAY, firstEpochOfDay } from '../../protocol/time.js';

const EPOCH_BYTES = 96;
export const PACKED_DAY_BYTES = EPOCHS_PER_DAY * EPOCH_BYTES;

export interface CredentialShelf {
  /** By day, as the pack lays them out: 96 × (ephId 16 || authKey 16 || credential signature 64). */
  readonly epochs: Map<number, Uint8Array>;
  readonly sealingKeys: Map<number, Uint8Array>;
  readonly noticeKeys: Map<number, Uint8Array>;
  /** The last ID of the day that was forgotten last: its beacons may still come back. */
  lastOfDay?: { readonly epoch: Epoch; readonly ephId: Uint8Array } | undefined;
}

export const emptyShelf = (): CredentialShelf => ({
  epochs: new Map(),
  sealingKeys: new Map(),
  noticeKeys: new Map(),
});

export function addPack(shelf: CredentialShelf, pack: CredentialPack): void {
  pack.days.forEach((day, index) => {
    const number = pack.firstDay + index;
    shelf.epochs.set(number, packEpochs(day.epochs));
    shelf.sealingKeys.set(number, day.statement.sealingPublicKey);
    const [first] = day.epochs;
    if (first !== undefined) shelf.noticeKeys.set(number, first.authKey);
  });
}

/** The sealing keys a verified hello carried: a report made in its session may have to be sealed again in a later one. */
export function addStatements(shelf: CredentialShelf, statements: readonly DayKeyStatement[]): void {
  for (const { day, sealingPublicKey } of statements) shelf.sealingKeys.set(day, sealingPublicKey);
}

export function credentialOf(shelf: CredentialShelf, epoch: Epoch): PackEpoch | undefined {
  const day = dayOfEpoch(epoch);
  const packed = shelf.epochs.get(day);
  if (packed === undefined) return undefined;
  const at = (epoch - firstEpochOfDay(day)) * EPOCH_BYTES;
  return {
    ephId: packed.slice(at, at + 16),
    authKey: packed.slice(at + 16, at + 32),
    credentialSignature: packed.slice(at + 32, at + EPOCH_BYTES),
  };
}

/** Whether an ephemeral ID is the tag's own of that epoch, of a day not forgotten or the last of yesterday. */
export function isEphIdOf(shelf: CredentialShelf, epoch: Epoch, ephId: Uint8Array): boolean {
  if (shelf.lastOfDay?.epoch === epoch) return equalBytes(shelf.lastOfDay.ephId, ephId);
  const day = dayOfEpoch(epoch);
  const packed = shelf.epochs.get(day);
  const at = (epoch - firstEpochOfDay(day)) * EPOCH_BYTES;
  return packed !== undefined && equalBytes(packed.subarray(at, at + 16), ephId);
}

/** The last day of the unbroken run of credentials from `day` on; `undefined` when there is none for `day`. */
export function coveredThrough(shelf: CredentialShelf, day: number): number | undefined {
  let last: number | undefined;
  for (let next = day; shelf.epochs.has(next); next += 1) last = next;
  return last;
}

/** The last day of all that there are credentials for; a day that could not be certified may lie before it. */
export function heldThrough({ epochs }: CredentialShelf): number | undefined {
  return epochs.size === 0 ? undefined : Math.max(...epochs.keys());
}

/** The first day after `day` that there are credentials for; `undefined` also when there are some for `day` itself. */
export function resumedOn({ epochs }: CredentialShelf, day: number): number | undefined {
  const coming = epochs.has(day) ? [] : [...epochs.keys()].filter((held) => held > day);
  return coming.length === 0 ? undefined : Math.min(...coming);
}

/** The last day before `day` for which there were credentials, as long as its notices are read. */
export function endedOn(shelf: CredentialShelf, day: number): number | undefined {
  const past = [...shelf.noticeKeys.keys()].filter((held) => held < day);
  return past.length === 0 ? undefined : Math.max(...past);
}

/** Credentials of days gone by are of no use; keys of days beyond retention neither. */
export function forgetDays(shelf: CredentialShelf, today: number, retentionDays: number): void {
  const epoch = asEpoch(firstEpochOfDay(today) - 1);
  const last = credentialOf(shelf, epoch);
  shelf.lastOfDay = last && { epoch, ephId: last.ephId };
  for (const day of shelf.epochs.keys()) if (day < today) shelf.epochs.delete(day);
  for (const keys of [shelf.sealingKeys, shelf.noticeKeys]) {
    for (const day of keys.keys()) if (day < today - retentionDays) keys.delete(day);
  }
}

function packEpochs(epochs: readonly PackEpoch[]): Uint8Array {
  return concat(
    ...epochs.flatMap(({ ephId, authKey, credentialSignature }) => [ephId, authKey, credentialSignature]),
  );
}
