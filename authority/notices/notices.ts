/** Notices to tags (protocol.md §7): who is meant can be told only by the tag itself and by the authority. */
import type { TagNumber } from '../../protocol/brands.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { authKeyOf, makeEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import type { DayKeys } from '../../protocol/keys.js';
import { noticeToken, signNotice } from '../../protocol/tag/notice.js';
import { firstEpochOfDay } from '../../protocol/time.js';

export interface NoticeContent {
  /** Counts the notices of this issuer, so that two of one day and code do not look alike. */
  readonly number: number;
  /** What the tag shows; its meaning is the deployment's. */
  readonly code: number;
  readonly tags: readonly TagNumber[];
}

/** A signed notice of the day whose keys are given; a tag named twice counts once. */
export function makeNotice(
  issuer: Signer,
  keys: DayKeys,
  { number, code, tags }: NoticeContent,
  randomBytes: (length: number) => Uint8Array,
): Uint8Array {
  const tokens = [...new Set(tags)].map((tag) => noticeToken(firstAuthKey(keys, tag), number, code));
  return signNotice(issuer, { day: keys.day, number, code, tokens }, randomBytes);
}

function firstAuthKey({ day, idKey, macKey }: DayKeys, tag: TagNumber): Uint8Array {
  return authKeyOf(macKey, makeEphemeralId(idKey, tag, firstEpochOfDay(day)));
}
