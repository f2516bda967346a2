/** A small deployment for the ledger's tests: an issuer, an officer, gateways and what they write. Seeds are fixed. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LedgerDeps } from '../../ledger/ledger.js';
import { batchHash, encodeBatch, type BatchItem } from '../../protocol/mqtt/batch.js';
import { asUnixMs, type UnixMs } from '../../protocol/brands.js';
import type { CountedClock } from '../../protocol/clock.js';
import { issueCredential } from '../../protocol/tag/credential.js';
import { fastSigner, type Signer } from '../../protocol/crypto/ed25519.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import {
  encodeGatewayCertificate,
  issueGatewayCertificate,
} from '../../protocol/session/gateway-certificate.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { issuerIdOf, partyIdOf } from '../../protocol/keys.js';
import { openLedgerReceipt, type LedgerReceipt } from '../../protocol/mqtt/ledger-receipt.js';
import { noteSigner } from '../../protocol/tlog/note.js';
import { encodeDayKeyPayload } from '../../protocol/payload/day-key.js';
import { encodeGatewayPayload } from '../../protocol/payload/gateway.js';
import { encodeNoticePayload } from '../../protocol/payload/notice.js';
import { encodePruningPayload } from '../../protocol/payload/pruning.js';
import { encodeReportPlaintext } from '../../protocol/tag/report-plaintext.js';
import { sealReport } from '../../protocol/tag/report.js';
import { signRevocation } from '../../protocol/session/revocation.js';
import { dayOf, epochOf } from '../../protocol/time.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';

export const ORIGIN = 'ledger.example/firebreak';
export const NOW_MS = asUnixMs(1_790_000_000_000);

export const signerOf = (name: string): Signer => fastSigner(sha256(Buffer.from(name)));

export const issuer = signerOf('issuer');
export const officer = signerOf('officer');
export const receiptSigner = signerOf('receipts');
export const logSigner = noteSigner(ORIGIN, signerOf('log'));
const sealing = x25519KeyPair();

export interface StandingClock extends CountedClock {
  /** Sets it, as somebody or something may: no time passes. */
  set(ms: number): void;
  /** Lets time pass until it reads that. */
  passTo(ms: number): void;
}

/** A clock that stands still unless it is told. */
export function standingClock(startMs: UnixMs = NOW_MS): StandingClock {
  let now = startMs;
  let passedMs = 0;
  return {
    nowMs: () => now,
    sleep: async () => {},
    counter: { nowMs: () => passedMs, rate: 1 },
    set: (ms) => void (now = asUnixMs(ms)),
    passTo: (ms) => {
      passedMs += ms - now;
      now = asUnixMs(ms);
    },
  };
}

/** A folder that is gone when the test is over. */
export async function temporaryFolder(): Promise<string> {
  const { onTestFinished } = await import('vitest'); // late: processes that are no tests use this file as well
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-ledger-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

const ISSUER_TYPES = [ENTRY_TYPE.gateway, ENTRY_TYPE.dayKey, ENTRY_TYPE.credentials, ENTRY_TYPE.pruning];

export function ledgerDeps(dir: string, changes: Partial<LedgerDeps> = {}): LedgerDeps {
  return {
    dir,
    logSigner,
    receiptSigner,
    issuerPublicKey: issuer.publicKey,
    writers: [
      { publicKey: issuer.publicKey, types: ISSUER_TYPES },
      { publicKey: officer.publicKey, types: [ENTRY_TYPE.case, ENTRY_TYPE.notices] },
    ],
    retentionDays: 21,
    clock: standingClock(),
    ...changes,
  };
}

export function batchOf(writer: Signer, seq: number, items: readonly BatchItem[]): Uint8Array {
  return encodeBatch({ writerId: partyIdOf(writer.publicKey), seq, items }, writer);
}

/** An entry of type 8 with whatever inside. */
export function noticeItem(text: string): BatchItem {
  const notice = sha256(Buffer.from(text));
  return {
    type: ENTRY_TYPE.notices,
    timeMs: NOW_MS,
    payload: encodeNoticePayload({ salt: notice.slice(0, 16), notice }),
  };
}

export function certificateItem(
  gateway: Signer,
  fromDay = dayOf(NOW_MS / 1000),
  toDay = fromDay + 6,
): BatchItem {
  const certificate = issueGatewayCertificate(issuer, {
    gatewayPublicKey: gateway.publicKey,
    fromDay,
    toDay,
  });
  const payload = {
    kind: 'enrolled',
    salt: randomBytes(16),
    certificate: encodeGatewayCertificate(certificate),
  } as const;
  return { type: ENTRY_TYPE.gateway, timeMs: NOW_MS, payload: encodeGatewayPayload(payload) };
}

export function revocationItem(gateway: Signer, fromMs: number): BatchItem {
  const revocation = signRevocation(issuer, {
    gatewayId: partyIdOf(gateway.publicKey),
    fromMs: asUnixMs(fromMs),
  });
  const payload = { kind: 'revoked', salt: randomBytes(16), revocation } as const;
  return { type: ENTRY_TYPE.gateway, timeMs: NOW_MS, payload: encodeGatewayPayload(payload) };
}

export function destroyedItem(day: number): BatchItem {
  const payload = { kind: 'destroyed', salt: randomBytes(16), day, destroyedAtMs: NOW_MS } as const;
  return { type: ENTRY_TYPE.dayKey, timeMs: NOW_MS, payload: encodeDayKeyPayload(payload) };
}

export function pruningItem(day: number): BatchItem {
  const payload = encodePruningPayload({ salt: randomBytes(16), day, prunedAtMs: NOW_MS });
  return { type: ENTRY_TYPE.pruning, timeMs: NOW_MS, payload };
}

/** A sealed report of no encounters, taken in by `gateway` at `timeMs`. Each call seals another one. */
export function reportItem(gateway: Signer, timeMs: UnixMs = NOW_MS): BatchItem {
  const epochSigner = fastSigner(randomBytes(32));
  const epoch = epochOf(timeMs / 1000);
  const body = { epoch, ephId: randomBytes(16), epochPublicKey: epochSigner.publicKey };
  const payload = sealReport({
    issuerId: issuerIdOf(issuer.publicKey),
    day: dayOf(timeMs / 1000),
    credential: issueCredential(issuer, body),
    signer: epochSigner,
    gatewayId: partyIdOf(gateway.publicKey),
    nonce: randomBytes(16),
    sealingPublicKey: sealing.publicKey,
    plaintext: encodeReportPlaintext({ seq: 0, prev: new Uint8Array(32), records: [] }),
  });
  return { type: ENTRY_TYPE.tagReport, timeMs, payload };
}

export function openReceipt(bytes: Uint8Array, batch: Uint8Array): LedgerReceipt {
  const receipt = openLedgerReceipt(bytes, receiptSigner.publicKey);
  if (Buffer.compare(receipt.batchHash, batchHash(batch)) !== 0)
    throw new Error('the receipt is for another batch');
  return receipt;
}
