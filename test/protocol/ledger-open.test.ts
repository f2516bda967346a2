import { describe, expect, test } from 'vitest';
import { splitDayKeyStatements, splitRevocations } from '../../protocol/mqtt/authority-topics.js';
import { batchHash } from '../../protocol/mqtt/batch.js';
import { fromHex } from '../../protocol/bytes.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { checkConnectToken } from '../../protocol/mqtt/connect-token.js';
import { openLedgerReceipt } from '../../protocol/mqtt/ledger-receipt.js';
import { parseVerifierKey } from '../../protocol/tlog/note.js';
import { joinAccess, openAccessPart } from '../../protocol/payload/access.js';
import { credentialsRoot, decodeCredentialsPayload } from '../../protocol/payload/credentials.js';
import { decodeDayKeyPayload } from '../../protocol/payload/day-key.js';
import { decodeGatewayPayload } from '../../protocol/payload/gateway.js';
import { decodeNoticePayload } from '../../protocol/payload/notice.js';
import { decodePruningPayload } from '../../protocol/payload/pruning.js';
import { accessRecord, connectWallMs, ledgerOpenVectors, secret } from './ledger-open-vectors.js';
import { ledgerVectors as v1 } from './vectors-v1.js';

describe('the vectors of docs/protocol.md §13', () => {
  const vectors = ledgerOpenVectors();

  test('are reproduced byte for byte', async () => {
    await expect(`${JSON.stringify(vectors, null, 2)}\n`).toMatchFileSnapshot('../vectors/ledger-open.json');
  });

  test('of the log are opened with the keys beside them', () => {
    const { checkpoint, logVerifierKey, ledgerReceipt, ledgerReceiptPublicKey } = vectors.log;
    const receipt = openLedgerReceipt(fromHex(ledgerReceipt), fromHex(ledgerReceiptPublicKey));
    expect(receipt.checkpoint).toBe(checkpoint);
    expect(receipt.outcomes).toEqual([
      { reason: 0, index: 0 },
      { reason: 6, index: null },
    ]);
    expect(receipt.batchHash).toEqual(new Uint8Array(batchHash(v1.batch.bytes)));
    expect(openCheckpoint(checkpoint, parseVerifierKey(logVerifierKey))).toMatchObject({
      size: 2,
      root: v1.root,
    });
    expect(vectors.log.ledgerRefusals).toEqual({
      type: 9,
      sequence: 10,
      'batch-signature': 11,
      certificate: 12,
      size: 13,
    });
  });

  test('of MQTT are those of the gateway', () => {
    const { connectUsername, connectPassword, dayKeys, revocations } = vectors.mqtt;
    const check = { username: connectUsername, wallMs: connectWallMs, toleranceMs: 0 };
    expect(new Uint8Array(checkConnectToken(connectPassword, check))).toEqual(v1.gatewayPublicKey);
    expect(splitDayKeyStatements(fromHex(dayKeys))).toEqual([
      v1.dayKeyStatementYesterday,
      v1.dayKeyStatement,
    ]);
    expect(splitRevocations(fromHex(revocations))).toHaveLength(1);
  });

  test('of payloads decode to what they were made of', () => {
    const { payloads, mqtt } = vectors;
    expect(decodeGatewayPayload(fromHex(payloads.gatewayEnrolled))).toMatchObject({
      certificate: v1.gatewayCertificate,
    });
    const revoked = decodeGatewayPayload(fromHex(payloads.gatewayRevoked));
    expect(revoked).toMatchObject({ kind: 'revoked', revocation: fromHex(mqtt.revocations) });
    expect(decodeDayKeyPayload(fromHex(payloads.dayKeyPublished))).toMatchObject({
      statement: v1.dayKeyStatement,
    });
    const destroyed = decodeDayKeyPayload(fromHex(payloads.dayKeyDestroyed));
    expect(destroyed).toMatchObject({ kind: 'destroyed', day: 20_000, destroyedAtMs: 1_729_900_800_000 });
    const part = openAccessPart(fromHex(payloads.access), fromHex(payloads.auditSecretKey));
    expect(joinAccess([part])).toEqual(accessRecord);
    expect(decodeNoticePayload(fromHex(payloads.notices)).notice).toEqual(fromHex(mqtt.notices));
    // By hand from protocol.md §13: salt || 01 || day || prunedAtMs.
    const salt = Buffer.from(secret('salt 10', 16)).toString('hex');
    expect(payloads.pruning).toBe(`${salt}01${'00004e20'}${'00000192c6205260'}`);
    expect(decodePruningPayload(fromHex(payloads.pruning))).toMatchObject({
      day: 20_000,
      prunedAtMs: 1_729_900_860_000,
    });
    const root = new Uint8Array(credentialsRoot(payloads.credentialBodies.map(fromHex)));
    expect(decodeCredentialsPayload(fromHex(payloads.credentials))).toMatchObject({
      root,
      requestHash: secret('request'),
    });
  });
});
