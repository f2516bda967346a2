/** Ledger folders for fsck's tests and its bench: every kind of entry, tables at several levels, a write-ahead log. */
import { mkdir, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { fsckLedger, type FsckReport } from '../../ledger/fsck/fsck.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import type { BatchItem } from '../../protocol/batch.js';
import { asUnixMs } from '../../protocol/brands.js';
import { ENTRY_TYPE } from '../../protocol/entry.js';
import { sha256 } from '../../protocol/hash.js';
import {
  batchOf,
  certificateItem,
  issuer,
  ledgerDeps,
  logSigner,
  noticeItem,
  NOW_MS,
  officer,
  reportItem,
  revocationItem,
  signerOf,
  standingClock,
} from './deployment.js';

export const gateways = ['one', 'two', 'three'].map((name) => signerOf(`gateway ${name}`));

export const checkFolder = (dir: string): Promise<FsckReport> =>
  fsckLedger({ dir, verifier: logSigner, issuerPublicKey: issuer.publicKey });

/** What was found, as lines. */
export const foundIn = ({ findings }: FsckReport): string[] =>
  findings.kept.map(({ kind, area, file, offset, index, what }) =>
    [kind, area, file, offset === undefined ? '' : `@${offset}`, index === undefined ? '' : `#${index}`, what]
      .filter((part) => part !== undefined && part !== '')
      .join(' '),
  );

const caseItem = (text: string): BatchItem => ({
  type: ENTRY_TYPE.case,
  timeMs: NOW_MS,
  payload: Buffer.alloc(512, sha256(Buffer.from(text))),
});

async function writeRound(ledger: Ledger, round: number, batches: number): Promise<void> {
  await ledger.submit(
    batchOf(
      issuer,
      round,
      gateways.map((gateway) => certificateItem(gateway)),
    ),
  );
  for (let n = 0; n < batches; n++) {
    const seq = round * 1000 + n;
    const gateway = gateways[n % gateways.length] ?? issuer;
    const reports = Array.from({ length: 4 + (n % 5) }, (_, i) =>
      reportItem(gateway, asUnixMs(NOW_MS - i * 1000)),
    );
    const again = [...reports, reports[0] ?? noticeItem('')];
    const refused = { ...reportItem(gateway), type: ENTRY_TYPE.dayKey };
    const notices = Array.from({ length: 1 + (n % 40) }, (_, i) => noticeItem(`${round}/${n % 7}/${i}`));
    await Promise.all([
      ledger.submit(batchOf(gateway, seq, [...again, refused])),
      ledger.submit(batchOf(officer, seq, [...notices, caseItem(`${seq}`)])),
      ledger.submit(batchOf(gateway, seq + 500, [refused])),
    ]);
  }
  await ledger.submit(batchOf(officer, round * 1000 + 999, [noticeItem(`${round}/last`)]));
}

/** A ledger that ran `rounds` times and was stopped; each run leaves a table, and the last one a write-ahead log. */
export async function variedLedger(
  dir: string,
  { rounds = 1, batches = 8 }: { readonly rounds?: number; readonly batches?: number } = {},
): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    const clock = standingClock(asUnixMs(NOW_MS + round * 1000));
    const ledger = await openLedger(ledgerDeps(dir, { clock }));
    await writeRound(ledger, round, batches);
    if (round === rounds)
      await ledger.submit(batchOf(issuer, 900, [revocationItem(gateways[0] ?? issuer, NOW_MS)]));
    await ledger.close();
    if (round === 1 && rounds > 1) await rewriteStore(dir);
  }
}

/**
 * Writes the store anew, so that its rows go straight to level 2, as the first table of a large ledger does. Each run leaves
 * one at level 0, and four of those are joined into level 1: after seven runs there are tables at all three.
 */
async function rewriteStore(dir: string): Promise<void> {
  const fresh = join(dir, 'fresh');
  await onStore(dir, async (old) => {
    const rows = await old.iterator().all();
    await mkdir(fresh);
    await onStore(fresh, async (db) => {
      await db.batch(rows.map(([key, value]) => ({ type: 'put', key, value })));
      await db.compactRange(Buffer.from('a'), Buffer.from('z'));
    });
  });
  await rm(join(dir, 'store'), { recursive: true });
  await rename(join(fresh, 'store'), join(dir, 'store'));
  await rmdir(fresh);
}

type Store = Level<Uint8Array, Uint8Array> & {
  compactRange(from: Uint8Array, to: Uint8Array): Promise<void>;
};

/** Opens the level store of a stopped ledger, for damage on purpose. */
export async function onStore(dir: string, work: (db: Store) => Promise<void>): Promise<void> {
  const db = new Level<Uint8Array, Uint8Array>(join(dir, 'store'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
    compression: false,
  }) as Store;
  await db.open();
  await work(db);
  await db.close();
}

/** Files that hold the ledger, with their bytes. */
export async function storedFiles(dir: string): Promise<{ readonly file: string; readonly bytes: Buffer }[]> {
  const names = [
    ...(await readdir(dir)),
    ...(await readdir(join(dir, 'store'))).map((name) => `store/${name}`),
  ];
  const files = names.filter((name) => name !== 'store' && !name.startsWith('store/LOG'));
  return Promise.all(files.sort().map(async (file) => ({ file, bytes: await readFile(join(dir, file)) })));
}
