/**
 * Makes test/vectors/ledger-open.json: one vector for each message on the ledger's side that protocol.md leaves open
 * (docs/protocol.md §13). Secrets, salts and nonces are SHA-256("firebreak vector: " || name), cut to length.
 */
import { createHash } from 'node:crypto';
import { joinDayKeyStatements, joinRevocations } from '../../protocol/mqtt/authority-topics.js';
import { asTagNumber, asTreeSize, asUnixMs } from '../../protocol/brands.js';
import { batchHash } from '../../protocol/mqtt/batch.js';
import { concat, toHex } from '../../protocol/bytes.js';
import { signCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { makeConnectToken } from '../../protocol/mqtt/connect-token.js';
import { fastSigner, signDomain } from '../../protocol/crypto/ed25519.js';
import { LEDGER_REFUSALS, refusalNumber } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { issuerIdOf, partyIdOf } from '../../protocol/keys.js';
import { signLedgerReceipt } from '../../protocol/mqtt/ledger-receipt.js';
import { noteSigner, noteSignerKey, noteVerifierKey } from '../../protocol/tlog/note.js';
import { sealAccess, type AccessRecord } from '../../protocol/payload/access.js';
import { credentialsRoot, encodeCredentialsPayload } from '../../protocol/payload/credentials.js';
import { encodeDayKeyPayload } from '../../protocol/payload/day-key.js';
import { encodeGatewayPayload } from '../../protocol/payload/gateway.js';
import { encodeNoticePayload } from '../../protocol/payload/notice.js';
import { encodePruningPayload } from '../../protocol/payload/pruning.js';
import { entriesTopic, receiptsTopic, statusTopic } from '../../protocol/mqtt/topics.js';
import { encodeWriterStatus } from '../../protocol/mqtt/writer-status.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { ledgerVectors as v1 } from './vectors-v1.js';

export const secret = (name: string, length = 32): Uint8Array =>
  new Uint8Array(createHash('sha256').update(`firebreak vector: ${name}`).digest().subarray(0, length));

const issuer = fastSigner(secret('issuer'));
const gateway = fastSigner(secret('gateway'));
export const ledgerReceiptKey = fastSigner(secret('ledger receipt'));
export const auditKey = x25519KeyPair(secret('audit'));
export const origin = 'firebreak.example/log';
export const logSigner = noteSigner(origin, fastSigner(secret('ledger log')));

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const u64 = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};

/** Revocation and notice as protocol.md §7 lays them out, written here by hand. */
function revocationVector(): Uint8Array {
  const issuerId = issuerIdOf(issuer.publicKey);
  const body = concat(Uint8Array.of(1), issuerId, partyIdOf(gateway.publicKey), u64(1_728_040_000_000));
  return concat(body, signDomain(issuer, 'firebreak/revoke/v1', body));
}

function noticeVector(): Uint8Array {
  const tokens = [secret('notice token a', 8), secret('notice token b', 8)].sort((a, b) =>
    Buffer.compare(a, b),
  );
  const head = concat(
    Uint8Array.of(1),
    issuerIdOf(issuer.publicKey),
    u32(20_000),
    u32(1),
    Uint8Array.of(1, 0, 2),
  );
  const body = concat(head, ...tokens);
  return concat(body, signDomain(issuer, 'firebreak/notice/v1', body));
}

const credentialBodies = [0, 1].map((i) =>
  concat(Uint8Array.of(1), u32(1_920_037 + i), secret(`body ${i}`, 16), secret(`key ${i}`)),
);

export const accessRecord: AccessRecord = {
  officer: 'officer@example.org',
  purpose: 'case 12, ward 7',
  question: 'forward',
  cases: [asTagNumber(4242)],
  hops: 3,
  from: 1_727_913_600,
  to: 1_728_086_400,
  minSeconds: 900,
  latentSeconds: 172_800,
  infectiousSeconds: null,
  attenuation: 'near',
  presence: false,
  reached: [17, 18, 4_000, 2 ** 47].map(asTagNumber),
};

/** Its tags take a payload and a half: two parts. */
const longAccessRecord: AccessRecord = {
  ...accessRecord,
  question: 'cluster',
  cases: [4242, 4243].map(asTagNumber),
  infectiousSeconds: 864_000,
  attenuation: 'medium',
  presence: true,
  reached: Array.from({ length: 50_000 }, (_, k) => asTagNumber(200 * k)),
};

function sealedAccess(record: AccessRecord, name: string): readonly Uint8Array[] {
  let [salts, keys] = [0, 0];
  const parts = sealAccess(record, {
    look: secret(`${name} look`, 16),
    salt: () => secret(`${name} salt ${salts++}`, 16),
    recipientPublicKey: auditKey.publicKey,
    ephemeralSecretKey: () => secret(`${name} ephemeral ${keys++}`),
  });
  return parts.map(({ payload }) => payload);
}

function notes() {
  const checkpoint = signCheckpoint({ origin, size: asTreeSize(2), root: v1.root }, logSigner);
  const receipt = {
    writerId: partyIdOf(gateway.publicKey),
    seq: 41,
    batchHash: batchHash(v1.batch.bytes),
    outcomes: [
      { reason: 0, index: 0 },
      { reason: refusalNumber('day'), index: null },
    ],
    checkpoint,
  };
  return {
    logSeed: toHex(secret('ledger log')),
    logSignerKey: noteSignerKey(origin, secret('ledger log')),
    logVerifierKey: noteVerifierKey(origin, logSigner.publicKey),
    checkpoint,
    ledgerReceiptSeed: toHex(secret('ledger receipt')),
    ledgerReceiptPublicKey: toHex(ledgerReceiptKey.publicKey),
    ledgerReceipt: toHex(signLedgerReceipt(receipt, ledgerReceiptKey)),
    ledgerRefusals: Object.fromEntries(LEDGER_REFUSALS.map((refusal) => [refusal, refusalNumber(refusal)])),
  };
}

function payloads() {
  const statement = v1.dayKeyStatement;
  const destroyedAtMs = asUnixMs(1_729_900_800_000);
  return {
    gatewayEnrolled: toHex(
      encodeGatewayPayload({
        kind: 'enrolled',
        salt: secret('salt 3a', 16),
        certificate: v1.gatewayCertificate,
      }),
    ),
    gatewayRevoked: toHex(
      encodeGatewayPayload({ kind: 'revoked', salt: secret('salt 3b', 16), revocation: revocationVector() }),
    ),
    dayKeyPublished: toHex(
      encodeDayKeyPayload({ kind: 'published', salt: secret('salt 4a', 16), statement }),
    ),
    dayKeyDestroyed: toHex(
      encodeDayKeyPayload({ kind: 'destroyed', salt: secret('salt 4b', 16), day: 20_000, destroyedAtMs }),
    ),
    auditSecretKey: toHex(secret('audit')),
    auditPublicKey: toHex(auditKey.publicKey),
    accessRecord,
    access: sealedAccess(accessRecord, 'access').map(toHex).join(''),
    longAccessSha256: sealedAccess(longAccessRecord, 'long access').map((part) => toHex(sha256(part))),
    notices: toHex(encodeNoticePayload({ salt: secret('salt 8', 16), notice: noticeVector() })),
    credentialBodies: credentialBodies.map(toHex),
    credentials: toHex(
      encodeCredentialsPayload({
        salt: secret('salt 9', 16),
        requestHash: secret('request'),
        root: credentialsRoot(credentialBodies),
      }),
    ),
    pruning: toHex(
      encodePruningPayload({
        salt: secret('salt 10', 16),
        day: 20_000,
        prunedAtMs: asUnixMs(1_729_900_860_000),
      }),
    ),
  };
}

export const connectWallMs = 1_728_034_000_000;

function mqtt() {
  const writerId = partyIdOf(gateway.publicKey);
  const connect = makeConnectToken(gateway, connectWallMs, secret('connect nonce', 16));
  return {
    entriesTopic: entriesTopic(writerId),
    receiptsTopic: receiptsTopic(writerId),
    statusTopic: statusTopic(writerId),
    connectWallMs,
    connectNonce: toHex(secret('connect nonce', 16)),
    connectUsername: connect.username,
    connectPassword: connect.password,
    status: encodeWriterStatus({
      online: true,
      version: '0.1.0',
      spoolDepth: 2,
      oldestUnsentMs: connectWallMs,
    }),
    lastWill: encodeWriterStatus({ online: false, version: '0.1.0', spoolDepth: 0, oldestUnsentMs: null }),
    dayKeys: toHex(joinDayKeyStatements([v1.dayKeyStatementYesterday, v1.dayKeyStatement])),
    revocations: toHex(joinRevocations([revocationVector()])),
    notices: toHex(noticeVector()),
  };
}

/** The file, as it must be. */
export function ledgerOpenVectors() {
  const note =
    "hex strings, integers decimal; secrets, salts and nonces are SHA-256('firebreak vector: ' || name), cut to length";
  return { note, log: notes(), mqtt: mqtt(), payloads: payloads() };
}
