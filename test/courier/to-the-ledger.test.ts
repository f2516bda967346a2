import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Courier } from '../../courier/courier.js';
import type { Spool } from '../../courier/spool.js';
import type { Uplink } from '../../courier/uplink.js';
import { toHex } from '../../protocol/bytes.js';
import type { BatchItem } from '../../protocol/mqtt/batch.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { partyIdOf } from '../../protocol/keys.js';
import {
  batchOf,
  certificateItem,
  issuer,
  noticeItem,
  NOW_MS,
  officer,
  reportItem,
  signerOf,
} from '../ledger/deployment.js';
import { levelSpool, temporaryFolder } from './folder.js';
import { testUplink } from './rehearsal.js';
import { courierOver, ledgerStage, uplinkTo } from './stage.js';
import type { LedgerStage } from './stage.js';

const DAY_MS = 86_400_000;
const gateway = signerOf('gateway one');
const spoolOf = (dir: string) => levelSpool(dir, {}, partyIdOf(gateway.publicKey));
const soon = (): AbortSignal => AbortSignal.timeout(50_000);
const hashes = (items: readonly BatchItem[]): string[] => items.map(({ payload }) => toHex(sha256(payload)));

async function payloadHashes(stage: LedgerStage): Promise<string[]> {
  return (await stage.entries()).filter(({ type }) => type === 1).map((entry) => toHex(entry.payloadSha256));
}

async function certified(): Promise<LedgerStage> {
  const stage = await ledgerStage();
  await stage.ledger.submit(batchOf(issuer, 1, [certificateItem(gateway)]));
  return stage;
}

describe('a courier and a ledger', () => {
  it('brings every entry of many at once, each to the place its receipt says', async () => {
    const stage = await certified();
    const courier = await courierOver(
      await uplinkTo(stage.url, gateway),
      await spoolOf(await temporaryFolder()),
      gateway,
    );
    const reports = Array.from({ length: 600 }, () => reportItem(gateway));
    const posted = (await Promise.all(reports.map((report) => courier.post([report])))).flat();
    await courier.drained(soon());
    const entries = await stage.entries();
    for (const [k, entry] of posted.entries()) {
      const { index } = await entry.delivered();
      expect(toHex(entries[index ?? -1]?.payloadSha256 ?? new Uint8Array())).toBe(
        hashes(reports.slice(k, k + 1))[0],
      );
    }
    expect(entries).toHaveLength(601);
  });

  it('keeps entries while ledger and broker are away, and brings them when they are back', async () => {
    const stage = await certified();
    const courier = await courierOver(
      await uplinkTo(stage.url, gateway),
      await spoolOf(await temporaryFolder()),
      gateway,
    );
    const reports = Array.from({ length: 30 }, () => reportItem(gateway));
    await courier.post(reports.slice(0, 10));
    await courier.drained(soon());
    await stage.down();
    await courier.post(reports.slice(10));
    await expect.poll(() => courier.status().online).toBe(false);
    expect(courier.status()).toMatchObject({ depth: 20, delivered: 10 });
    await stage.up();
    await courier.drained(soon());
    expect((await payloadHashes(stage)).sort()).toEqual(hashes(reports).sort());
  });

  it('holds on to reports of a day whose certificate reaches the log later', async () => {
    const stage = await certified();
    const courier = await courierOver(
      await uplinkTo(stage.url, gateway),
      await spoolOf(await temporaryFolder()),
      gateway,
    );
    const later = Array.from({ length: 3 }, () =>
      reportItem(gateway, (NOW_MS + 9 * DAY_MS) as typeof NOW_MS),
    );
    const now = reportItem(gateway);
    await courier.post([...later, now]);
    await expect.poll(() => courier.status()).toMatchObject({ delivered: 1, parked: 3 });
    const firstDay = Math.floor((NOW_MS + 9 * DAY_MS) / DAY_MS);
    await stage.ledger.submit(batchOf(issuer, 2, [certificateItem(gateway, firstDay)]));
    await courier.drained(soon());
    expect((await payloadHashes(stage)).sort()).toEqual(hashes([...later, now]).sort());
    expect(courier.status()).toMatchObject({ refused: 0, keptAside: 0 });
  });

  it('drops nothing when its spool is an old copy of itself', async () => {
    const stage = await certified();
    const dir = await temporaryFolder();
    const [old, used] = [join(dir, 'old'), join(dir, 'used')];
    const first = reportItem(gateway);
    const spool = await spoolOf(used);
    await spool.append([first]);
    await spool.close();
    await cp(used, old, { recursive: true });
    const reports = Array.from({ length: 5 }, () => reportItem(gateway));
    const uplink = await uplinkTo(stage.url, gateway);
    const courier = await courierOver(uplink, await spoolOf(used), gateway);
    for (const report of reports) {
      await courier.post([report]);
      await courier.drained(soon());
    }
    await courier.close();
    const late = Array.from({ length: 4 }, () => reportItem(gateway));
    const restored = await courierOver(uplink, await spoolOf(old), gateway);
    for (const report of late) {
      await restored.post([report]);
      await restored.drained(soon());
    }
    expect((await payloadHashes(stage)).sort()).toEqual(hashes([first, ...reports, ...late]).sort());
    expect(restored.status().renumbered).toBeGreaterThan(0);
  });

  it('forgets nothing on the word of a broker that answers in the ledger’s place', async () => {
    const stage = await certified();
    const uplink = testUplink();
    const forger = await courierOver(uplink, await spoolOf(await temporaryFolder()), gateway);
    const report = reportItem(gateway);
    await forger.post([report]);
    await expect.poll(() => uplink.sent.length).toBe(1);
    const [batch] = uplink.sent;
    if (batch === undefined) throw new Error('nothing was sent');
    const genuine = await stage.ledger.submit(batch, partyIdOf(gateway.publicKey));
    for (let bit = 0; bit < genuine.length * 8; bit += 37) {
      const forged = Uint8Array.from(genuine);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      uplink.deliver(forged);
    }
    expect(forger.status()).toMatchObject({ depth: 1, delivered: 0 });
    uplink.deliver(genuine);
    await forger.drained(soon());
  });

  it('works for any writer: an officer’s notices arrive in the order of posting', async () => {
    const stage = await ledgerStage();
    const spool = await levelSpool(await temporaryFolder(), {}, partyIdOf(officer.publicKey));
    const courier = await courierOver(await uplinkTo(stage.url, officer), spool, officer);
    const notices = ['a', 'b', 'c'].map(noticeItem);
    for (const notice of notices) await courier.post([notice]);
    await courier.drained(soon());
    const entries = await stage.entries();
    expect(entries.map((entry) => toHex(entry.payloadSha256))).toEqual(hashes(notices));
  });

  it('brings every acknowledged entry exactly once, whatever crashes in between', async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ post: fc.integer({ min: 1, max: 5 }) }) },
      { weight: 2, arbitrary: fc.constant('writer crashes' as const) },
      { weight: 1, arbitrary: fc.constant('ledger crashes' as const) },
      { weight: 2, arbitrary: fc.record({ wait: fc.integer({ min: 1, max: 60 }) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
        const stage = await certified();
        const dir = await temporaryFolder();
        let parts = await startWriter(stage, dir);
        const acknowledged: BatchItem[] = [];
        for (const action of steps) {
          if (action === 'writer crashes') {
            await abandon(parts);
            parts = await startWriter(stage, dir);
          } else if (action === 'ledger crashes') {
            await stage.down();
            await stage.up();
          } else if ('wait' in action) await new Promise((resolve) => setTimeout(resolve, action.wait));
          else {
            const reports = Array.from({ length: action.post }, () => reportItem(gateway));
            await parts.courier.post(reports);
            acknowledged.push(...reports);
          }
        }
        await parts.courier.drained(soon());
        expect((await payloadHashes(stage)).sort()).toEqual(hashes(acknowledged).sort());
        await abandon(parts);
        await stage.down();
      }),
      { numRuns: 8 },
    );
  });
});

interface WriterParts {
  readonly uplink: Uplink;
  readonly spool: Spool;
  readonly courier: Courier;
}

async function startWriter(stage: LedgerStage, dir: string): Promise<WriterParts> {
  const spool = await spoolOf(dir);
  const uplink = await uplinkTo(stage.url, gateway);
  return { spool, uplink, courier: await courierOver(uplink, spool, gateway) };
}

/** Receipts that are on their way find nobody; what the courier was about to note is not noted. */
async function abandon({ uplink, spool, courier }: WriterParts): Promise<void> {
  uplink.onReceipt(() => undefined);
  await uplink.close();
  await courier.close();
  await spool.close();
}
