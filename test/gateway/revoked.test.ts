/** A gateway that the authority revokes, and one that others would. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { asUnixMs } from '../../protocol/brands.js';
import { concat } from '../../protocol/bytes.js';
import { partyIdOf } from '../../protocol/keys.js';
import { silentLog } from '../../protocol/log.js';
import type { LogFields } from '../../protocol/log.js';
import { REVOCATIONS_TOPIC } from '../../protocol/mqtt/topics.js';
import { signRevocation } from '../../protocol/session/revocation.js';
import { levelSpool } from '../courier/folder.js';
import { courierOver, ledgerStage, uplinkTo } from '../courier/stage.js';
import { batchOf, certificateItem, issuer, NOW_MS, revocationItem } from '../ledger/deployment.js';
import { hubRevokedFrom, hubSigner, openHub, visit } from './hub.js';
import { memoryStore } from './stand.js';

async function opened(...given: Parameters<typeof openHub>) {
  const hub = await openHub(...given);
  onTestFinished(() => hub.close());
  return hub;
}

describe('a gateway', () => {
  it('that was revoked has what it took after that kept aside, not tried again for ever', async () => {
    const stage = await ledgerStage();
    const entries = [certificateItem(hubSigner), revocationItem(hubSigner, NOW_MS)];
    await stage.ledger.submit(batchOf(issuer, 1, entries));
    const dir = await mkdtemp(join(tmpdir(), 'firebreak-gateway-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const spool = await levelSpool(dir, {}, partyIdOf(hubSigner.publicKey));
    const courier = await courierOver(await uplinkTo(stage.url, hubSigner), spool, hubSigner);
    const { clock, central, downlink } = await opened({ courier });
    await clock.drive(visit(central));
    await expect.poll(() => courier.status().parked, { timeout: 20_000 }).toBe(1);
    downlink.publish(REVOCATIONS_TOPIC, hubRevokedFrom(NOW_MS));
    await courier.drained(AbortSignal.timeout(50_000));
    const keptAsideReasons = { certificate: 1 };
    expect(courier.status()).toMatchObject({ parked: 0, refused: 1, keptAside: 1, keptAsideReasons });
  });

  it('tells its courier of a revocation that it kept, before it goes on the air', async () => {
    const { post } = await opened({ statements: memoryStore(hubRevokedFrom(NOW_MS)) });
    expect(post.uncertifiedFromMs).toEqual([NOW_MS]);
  });

  it('goes on serving tags whoever else claims to revoke it, and says each way of it once', async () => {
    const warnings: (LogFields | undefined)[] = [];
    const log = { ...silentLog, warn: (_: string, fields?: LogFields) => void warnings.push(fields) };
    const { gateway, clock, central, downlink, post } = await opened({ log });
    const own = hubRevokedFrom(0);
    const gatewayId = partyIdOf(hubSigner.publicKey);
    const strangers = signRevocation(hubSigner, { gatewayId, fromMs: asUnixMs(0) });
    const asTheIssuers = concat(own.subarray(0, 5), strangers.subarray(5));
    const changed = Uint8Array.from(own, (byte, k) => (k === 40 ? byte ^ 1 : byte));
    for (let times = 0; times < 3; times += 1)
      for (const claim of [strangers, asTheIssuers, changed, own.subarray(1), concat(own, Buffer.of(0))])
        downlink.publish(REVOCATIONS_TOPIC, claim);
    expect(gateway.status()).toMatchObject({ isRevoked: false, trouble: undefined });
    expect(post.uncertifiedFromMs).toEqual([]);
    const { receipt } = await clock.drive(visit(central));
    expect(receipt.refusal).toBeUndefined();
    expect(warnings.map((fields) => fields?.['why'])).toEqual([
      'a revocation of another issuer',
      'the revocation is not signed by the issuer',
      'this topic holds whole statements of 93 bytes',
    ]);
  });
});
