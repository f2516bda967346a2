/** Looks in a log, the authority's book of them, and a tag that asks. */
import { openAuditBook, type AuditBook, type AuditBookDeps } from '../../authority/looks/audit-book.js';
import { openAuditDesk, type AuditDesk, type AuditDeskDeps } from '../../authority/looks/audit-desk.js';
import { newDayKeys } from '../../authority/days/day-keys.js';
import { openAuditAnswer, type AuditAnswer } from '../../protocol/tag/audit-answer.js';
import { signAuditRequest, type AuditRequest } from '../../protocol/tag/audit-request.js';
import { asEpoch, asTagNumber, asUnixMs } from '../../protocol/brands.js';
import { issueCredential } from '../../protocol/tag/credential.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { makeEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { sealAccess, type AccessRecord } from '../../protocol/payload/access.js';
import { DAY_SECONDS, dayOfEpoch, firstEpochOfDay } from '../../protocol/time.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { logKey } from '../tracer/memory-log.js';
import type { MemoryLog } from '../tracer/memory-log.js';
import { issuer, secretOf, TODAY } from './fixture.js';

export const auditKey = x25519KeyPair(secretOf('audit'));
export const tracerId = secretOf('tracer').slice(0, 16);
export const WALL_MS = 1_790_000_000_000;
const NOW_MS = asUnixMs((TODAY * DAY_SECONDS + 50_000) * 1000);

const question: AccessRecord = {
  officer: 'Dr. Ada',
  purpose: 'measles, ward 4',
  question: 'forward',
  cases: [asTagNumber(900_001)],
  hops: 3,
  from: 1_700_000_000,
  to: 1_700_600_000,
  minSeconds: 900,
  latentSeconds: 172_800,
  infectiousSeconds: null,
  attenuation: 'near',
  presence: false,
  reached: [],
};

let looks = 0;
/** The payloads of one look. */
export function lookAt(
  cases: readonly number[],
  reached: readonly number[],
  changes: Partial<AccessRecord> = {},
): Uint8Array[] {
  looks += 1;
  let salts = 0;
  const record = {
    ...question,
    cases: cases.map(asTagNumber),
    reached: reached.map(asTagNumber),
    ...changes,
  };
  return sealAccess(record, {
    look: secretOf(`look ${looks}`).slice(0, 16),
    salt: () => secretOf(`salt ${looks} ${salts++}`).slice(0, 16),
    recipientPublicKey: auditKey.publicKey,
  }).map(({ payload }) => payload);
}

/** The indexes they got. */
export const logged = (log: MemoryLog, payloads: readonly Uint8Array[], source = tracerId): number[] =>
  payloads.map((payload) => log.append({ type: ENTRY_TYPE.access, payload, source, sourceTimeMs: 5_000 }));

export const bookOn = (log: MemoryLog, deps: Partial<AuditBookDeps> = {}): AuditBook =>
  openAuditBook({ reader: log.reader(), verifier: logKey, auditSecretKey: auditKey.secretKey, ...deps });

export const dayKeys = new Map(
  [TODAY - 22, TODAY - 21, TODAY - 1, TODAY, TODAY + 1].map((day) => [
    day,
    newDayKeys(day, (length) => secretOf(`day ${day}`).slice(0, length)),
  ]),
);

export function deskOn(book: AuditBook, deps: Partial<AuditDeskDeps> = {}): AuditDesk {
  return openAuditDesk({
    book,
    issuer,
    keysOf: async (day) => dayKeys.get(day),
    nowMs: () => NOW_MS,
    wallMs: () => WALL_MS,
    retentionDays: 21,
    ...deps,
  });
}

export const EPOCH_NOW = firstEpochOfDay(TODAY) + 55;

/** A tag that asks; `nonce` tells one request from another. */
export class AuditedTag {
  readonly reply = x25519KeyPair(secretOf('audit reply'));
  readonly #number: number;

  constructor(number: number) {
    this.#number = number;
  }

  request(
    changes: Partial<AuditRequest> & { epoch?: number; by?: string; nonceName?: string } = {},
  ): Uint8Array {
    const { epoch = EPOCH_NOW, by = 'issuer', nonceName = 'nonce', ...rest } = changes;
    const signer = fastSigner(secretOf(`tag ${this.#number} ${epoch}`));
    const idKey = dayKeys.get(dayOfEpoch(asEpoch(epoch)))?.idKey ?? secretOf('no day');
    const body = {
      epoch: asEpoch(epoch),
      ephId: makeEphemeralId(idKey, asTagNumber(this.#number), asEpoch(epoch)),
      epochPublicKey: signer.publicKey,
    };
    return signAuditRequest(signer, {
      credential: issueCredential(fastSigner(secretOf(by)), body),
      replyPublicKey: this.reply.publicKey,
      wallMs: WALL_MS,
      nonce: secretOf(`${nonceName} ${this.#number}`).slice(0, 16),
      ...rest,
    });
  }

  open(sealed: Uint8Array, request: Uint8Array, issuerPublicKey = issuer.publicKey): AuditAnswer {
    const to = { requestHash: sha256(request), replySecretKey: this.reply.secretKey };
    return openAuditAnswer(sealed, to, issuerPublicKey);
  }
}
