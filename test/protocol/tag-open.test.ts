import { createHash, createHmac, createPublicKey, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../protocol/bytes.js';
import { openCredentialPack, requirePackFor } from '../../protocol/tag/credential-pack.js';
import { decodeCredentialRequest, openCredentialRequest } from '../../protocol/tag/credential-request.js';
import { issueCredential } from '../../protocol/tag/credential.js';
import { hasToken, noticeToken, openNotice } from '../../protocol/tag/notice.js';
import { checkPresenceReport, openPresenceReport } from '../../protocol/session/presence-report.js';
import { checkReport } from '../../protocol/tag/report-check.js';
import { openSealed, resolveReporter } from '../../protocol/tag/report-open.js';
import { openTagReceipt } from '../../protocol/session/tag-receipt.js';
import { firstEpochOfDay } from '../../protocol/time.js';
import { reply, request, tagOpenVectors } from './tag-open-vectors.js';
import { dayKeysOf, gateway, issuer, session, vectors as v1 } from './tag-vectors.js';

const vectors = tagOpenVectors();

/** Ed25519 and D(domain) written out with node:crypto alone. */
function isSigned(publicKey: Uint8Array, domain: string, hex: string): boolean {
  const bytes = Buffer.from(hex, 'hex');
  const x = Buffer.from(publicKey).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const message = Buffer.concat([Buffer.from(`${domain}\0`), bytes.subarray(0, -64)]);
  return verify(null, message, key, bytes.subarray(-64));
}

describe('the vectors of docs/protocol.md', () => {
  test('are reproduced byte for byte', async () => {
    await expect(`${JSON.stringify(vectors, null, 2)}\n`).toMatchFileSnapshot(
      '../vectors/protocol-open.json',
    );
  });

  test('are laid out and signed as written there', () => {
    const { request: asked, notice, revocation, presence, session: met } = vectors;
    expect(met.gatewayAdvert).toBe('0201060303b1ff');
    expect(asked.requestHash).toBe(createHash('sha256').update(asked.plaintext, 'hex').digest('hex'));
    expect(asked.byWire.startsWith(asked.plaintext)).toBe(true);
    expect(isSigned(request.epochPublicKeys[0] ?? reply.publicKey, 'firebreak/enrol/v1', asked.byWire)).toBe(
      true,
    );
    expect(isSigned(v1.epochPublicKeyA, 'firebreak/request/v1', asked.inSession)).toBe(true);
    expect(isSigned(v1.issuerPublicKey, 'firebreak/notice/v1', notice.bytes)).toBe(true);
    expect(isSigned(v1.issuerPublicKey, 'firebreak/revoke/v1', revocation.bytes)).toBe(true);
    expect(isSigned(v1.gatewayPublicKey, 'firebreak/presence/v1', presence.bytes)).toBe(true);
    expect(isSigned(v1.gatewayPublicKey, 'firebreak/receipt/v1', met.receiptRefusedForItsDay)).toBe(true);
  });

  test('of requests are opened by the authority', () => {
    const { byWire, inSession, renewalByWire, plaintext } = vectors.request;
    expect(openCredentialRequest(fromHex(byWire))).toEqual(request);
    const checked = checkReport(fromHex(inSession), session);
    expect(resolveReporter(checked, dayKeysOf)).toBe(v1.tagA);
    expect(toHex(openSealed(checked, dayKeysOf))).toBe(plaintext);
    expect(decodeCredentialRequest(openSealed(checked, dayKeysOf))).toEqual(request);
    const nobody = new Uint8Array(16);
    expect(checkReport(fromHex(renewalByWire), { ...session, gatewayId: nobody, nonce: nobody }).kind).toBe(
      3,
    );
  });

  test('of refresh give back the pack, with credentials that hold', () => {
    const { firstSlice, lastSlice, pastTheEnd, nothing, pack } = vectors.refresh;
    const total = '000024fe'; // 32 + 37 + 105 + 96·96 + 64 + 16 = 9470
    expect(firstSlice).toBe(total + pack.slice(0, 2 * 508));
    expect(lastSlice).toBe(total + pack.slice(2 * 9144));
    expect([pastTheEnd, nothing]).toEqual([total, '00000000']);
    const opened = openCredentialPack(fromHex(pack), reply.secretKey, issuer.publicKey);
    requirePackFor(opened, fromHex(vectors.request.requestHash), v1.day, 1);
    const index = v1.epoch - firstEpochOfDay(v1.day);
    const body = {
      epoch: v1.epoch,
      ephId: v1.ephIdA,
      epochPublicKey: request.epochPublicKeys[index] ?? reply.publicKey,
    };
    const { ephId, credentialSignature } = opened.days[0]?.epochs[index] ?? {};
    expect(ephId).toEqual(v1.ephIdA);
    expect(credentialSignature).toEqual(issueCredential(issuer, body).signature);
  });

  test('of the notice tell tag B, and only tags that are meant', () => {
    const { bytes, firstAuthKeyB, tokens, padding } = vectors.notice;
    const opened = openNotice(fromHex(bytes), v1.issuerPublicKey);
    const message = Buffer.concat([Buffer.from('firebreak/notice-token/v1\0'), Buffer.from([0, 0, 0, 7, 1])]);
    const token = createHmac('sha256', fromHex(firstAuthKeyB)).update(message).digest('hex').slice(0, 16);
    expect(tokens[0]).toBe(token);
    expect(hasToken(opened, noticeToken(fromHex(firstAuthKeyB), 7, 1))).toBe(true);
    expect(opened.tokens.map(toHex)).toEqual([...tokens, padding].sort());
  });

  test('of presence and refusal are opened', () => {
    const context = { ...session, gatewayPublicKey: gateway.publicKey };
    const report = checkPresenceReport(fromHex(vectors.presence.bytes), context);
    expect(openPresenceReport(report, dayKeysOf)).toMatchObject([
      { ephId: v1.ephIdB, start: v1.recordBFields.start },
    ]);
    const receipt = openTagReceipt(fromHex(vectors.session.receiptRefusedForItsDay), gateway.publicKey);
    expect(receipt.refusal).toBe('day');
    expect(vectors.session.upload244.slice(1).join('')).toBe(toHex(v1.report_one.bytes));
  });
});
