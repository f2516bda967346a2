/**
 * Answers a tag that asks who looked at it (protocol.md §14): checks that the tag asks and that it asks now, then says what
 * the audit book has about it, sealed to the key in the request.
 *
 * Whoever repeats somebody's request gains nothing, since the answer is sealed to a key of the asker; it is refused all the
 * same while it is fresh. That is remembered in memory: an authority that was started anew within these minutes answers
 * once more.
 */
import { toHex } from '../../protocol/bytes.js';
import { sealAuditAnswer } from '../../protocol/tag/audit-answer.js';
import { openAuditRequest, type AuditRequest } from '../../protocol/tag/audit-request.js';
import type { TagNumber, UnixMs } from '../../protocol/brands.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { resolveEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import { FirebreakError, type ErrorCode } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import type { DayKeys } from '../../protocol/keys.js';
import { dayOf, dayOfEpoch, epochOf } from '../../protocol/time.js';
import type { AuditBook, TagAudit } from './audit-book.js';
import { forAsker } from '../days/day-key-store.js';
import { RecentAsks } from './recent-asks.js';

const TOLERANCE_MS = 120_000;
/** Requests that are being answered or wait for their turn. */
const MAX_AT_ONCE = 8;
/** An authority that was just started may still be reading a long log. */
const ANSWER_WITHIN_MS = 20_000;
/** For a desk that lasts no longer than one question: whoever is sent away by it would find no more of the log read. */
export const HOWEVER_LONG = Infinity;

/** What a log is refused for: it tells of the log itself, and of nothing between it and the authority. */
const OF_THE_LOG: ReadonlySet<ErrorCode> = new Set([
  ...(['consistency', 'chain', 'signature', 'foreign', 'witness', 'busy'] as const),
]);

/** Code `busy`: the log cannot be read. The cause may name addresses and files: it is not for somebody who asks from afar. */
export class UnreadLog extends FirebreakError {
  constructor(cause: unknown) {
    super('busy', 'the authority cannot read the log at this time; ask again later', { cause });
  }
}

export interface AuditDeskDeps {
  readonly book: AuditBook;
  readonly issuer: Signer;
  /** The keys of a day, while they exist. */
  readonly keysOf: (day: number) => Promise<DayKeys | undefined>;
  /** The deployment's clock, which epochs are counted in. */
  readonly nowMs: () => UnixMs;
  /** The host's clock, which requests are dated in. */
  readonly wallMs: () => number;
  readonly retentionDays: number;
  /** How far the asker's host may be off, before and after; two minutes by default. */
  readonly toleranceMs?: number;
  /** Wall ms after which an asker is sent away to come again; 20 s by default, or {@link HOWEVER_LONG}. */
  readonly answerWithinMs?: number;
}

export interface AuditDesk {
  /**
   * The answer, sealed. Throws `format`; `permission` for a request that is not fresh; `credential-signature`, `signature`;
   * `epoch` for a credential of a time to come or past retention; `not-found` when its day's keys are gone; `ephemeral-id`;
   * `exists` for a request that came before; `busy`; `consistency`, `chain`, `signature`, `foreign` or `witness` for a log that
   * does not add up, and {@link UnreadLog} for one that cannot be read.
   */
  readonly audit: (request: Uint8Array) => Promise<Uint8Array>;
}

export function openAuditDesk(deps: AuditDeskDeps): AuditDesk {
  const toleranceMs = deps.toleranceMs ?? TOLERANCE_MS;
  const recent = new RecentAsks(2 * toleranceMs);
  let underWay = 0;

  async function looksAt(tag: TagNumber): Promise<TagAudit> {
    if (underWay >= MAX_AT_ONCE)
      throw new FirebreakError('busy', `${MAX_AT_ONCE} tags are being answered; ask again in a minute`);
    underWay += 1;
    const reading = deps.book.looksAt(tag).finally(() => (underWay -= 1));
    return inTime(reading.catch(refuse), deps.answerWithinMs ?? ANSWER_WITHIN_MS);
  }

  return {
    audit: async (bytes) => {
      const request = openAuditRequest(bytes, deps.issuer.publicKey);
      const wallMs = deps.wallMs();
      requireFresh(request, wallMs, toleranceMs);
      const tag = await askerOf(request, deps);
      const requestHash = sha256(bytes);
      recent.note(tag, toHex(requestHash), wallMs);
      const answer = { ...(await looksAt(tag)), older: 0 };
      return sealAuditAnswer(deps.issuer, answer, { requestHash, replyPublicKey: request.replyPublicKey });
    },
  };
}

function refuse(cause: unknown): never {
  if (cause instanceof FirebreakError && OF_THE_LOG.has(cause.code)) throw cause;
  throw new UnreadLog(cause);
}

function requireFresh({ wallMs: madeAtMs }: AuditRequest, wallMs: number, toleranceMs: number): void {
  if (Math.abs(wallMs - madeAtMs) <= toleranceMs) return;
  throw new FirebreakError('permission', 'the audit request is not fresh: check the clock of the host it was made on'); // prettier-ignore
}

/** Whoever holds the key of this credential. One that ran out will do: a tag that is handed back may still ask. */
async function askerOf(
  { credential: { epoch, ephId } }: AuditRequest,
  { keysOf, nowMs, retentionDays }: AuditDeskDeps,
): Promise<TagNumber> {
  const now = nowMs() / 1000;
  const day = dayOfEpoch(epoch);
  if (epoch > epochOf(now) + 1 || day < dayOf(now) - retentionDays)
    throw new FirebreakError('epoch', `your tag has not renewed its credentials for longer than reports are kept (${retentionDays} days), or its clock differs from the authority’s: start it (firebreak tag run) where it reaches the authority, then ask again. In a rehearsal, see that clock.json is here`); // prettier-ignore
  const keys = await forAsker(keysOf(day));
  if (keys === undefined)
    throw new FirebreakError('not-found', `there are no keys of day ${day}: never made, or destroyed`);
  const resolved = resolveEphemeralId(keys.idKey, ephId);
  if (resolved?.epoch === epoch) return resolved.tag;
  throw new FirebreakError('ephemeral-id', 'the ephemeral ID of the credential is not one of this authority'); // prettier-ignore
}

/** Reading goes on when the asker is sent away, and is further when it comes back. */
async function inTime(reading: Promise<TagAudit>, limitMs: number): Promise<TagAudit> {
  if (limitMs === HOWEVER_LONG) return reading;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new FirebreakError('busy', 'the authority is still reading the log; ask again in a minute');
    timer = setTimeout(() => reject(error), limitMs);
    timer.unref();
  });
  try {
    return await Promise.race([reading, late]);
  } finally {
    clearTimeout(timer);
  }
}
