/** Ledger folders for fsck's tests and its bench: every kind of entry, tables at several levels, a write-ahead log. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { fsckLedger, type FsckReport } from '../../ledger/fsck/fsck.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import type { BatchItem } from '../../protocol/mqtt/batch.js';
import { asUnixMs } from '../../protocol/brands.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { issuerIdOf } from '../../protocol/keys.js';
import { encodeCredentialsPayload } from '../../protocol/payload/credentials.js';
import { encodeDayKeyPayload } from '../../protocol/payload/day-key.js';
import { sealPresenceReport } from '../../protocol/session/presence-report.js';
import { dayOf } from '../../protocol/time.js';
import type { WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
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

export const checkFolder = (dir: string, policy?: WitnessPolicy): Promise<FsckReport> =>
  fsckLedger({ dir, verifier: logSigner, issuerPublicKey: issuer.publicKey, ...(policy && { policy }) });

/** What was found, as lines. */
export const foundIn = ({ findings }: FsckReport): string[] =>
  findings.kept.map(({ kind, area, file, offset, index, what }) =>
    [kind, area, file, offset === undefined ? '' : `@${offset}`, index === undefined ? '' : `#${index}`, what]
      .filter((part) => part !== undefined && part !== '')
      .join(' '),
  );

const sealing = x25519KeyPair();
const saltOf = (text: string): Uint8Array => sha256(Buffer.from(text)).slice(0, 16);
const itemOf = (type: number, payload: Uint8Array): BatchItem => ({ type, timeMs: NOW_MS, payload });

/** Types 5 to 7 are sealed; the ledger asks only for their length. */
const paddedItem = (type: number, text: string): BatchItem =>
  itemOf(type, Buffer.alloc(512, sha256(Buffer.from(text))));

function presenceItem(gateway: Signer, seq: number): BatchItem {
  const payload = sealPresenceReport({
    gateway,
    issuerId: issuerIdOf(issuer.publicKey),
    day: dayOf(NOW_MS / 1000),
    sealingPublicKey: sealing.publicKey,
    seq,
    records: [],
  });
  return itemOf(ENTRY_TYPE.presenceReport, payload);
}

/** One of each type that only the issuer and the officer write. */
function officialItems(round: number): { readonly issuer: BatchItem[]; readonly officer: BatchItem[] } {
  const salt = saltOf(`${round}`);
  const destroyed = { kind: 'destroyed', salt, day: 20_000 + round, destroyedAtMs: NOW_MS } as const;
  const credentials = { salt, requestHash: sha256(salt), root: sha256(sha256(salt)) };
  return {
    issuer: [
      itemOf(ENTRY_TYPE.dayKey, encodeDayKeyPayload(destroyed)),
      itemOf(ENTRY_TYPE.credentials, encodeCredentialsPayload(credentials)),
    ],
    officer: [ENTRY_TYPE.case, ENTRY_TYPE.access, ENTRY_TYPE.identity].map((type) =>
      paddedItem(type, `${round}/${type}`),
    ),
  };
}

/** Reports of a gateway, one of them twice, one of a type that it may not write. */
function gatewayItems(gateway: Signer, n: number, seq: number): BatchItem[] {
  const reports = Array.from({ length: 4 + (n % 5) }, (_, i) =>
    reportItem(gateway, asUnixMs(NOW_MS - i * 1000)),
  );
  return [...reports, ...reports.slice(0, 1), presenceItem(gateway, seq), refusedItem(gateway)];
}

const refusedItem = (gateway: Signer): BatchItem => ({ ...reportItem(gateway), type: ENTRY_TYPE.dayKey });

async function writeRound(ledger: Ledger, round: number, batches: number): Promise<void> {
  const official = officialItems(round);
  const certificates = gateways.map((gateway) => certificateItem(gateway));
  await ledger.submit(batchOf(issuer, round, [...certificates, ...official.issuer]));
  await ledger.submit(batchOf(officer, round, official.officer));
  for (let n = 0; n < batches; n++) {
    const seq = round * 1000 + n;
    const gateway = gateways[n % gateways.length] ?? issuer;
    const notices = Array.from({ length: 1 + (n % 40) }, (_, i) => noticeItem(`${round}/${n % 3}/${i}`));
    await Promise.all([
      ledger.submit(batchOf(gateway, seq, gatewayItems(gateway, n, seq))),
      ledger.submit(batchOf(officer, seq, notices)),
      ledger.submit(batchOf(gateway, seq + 500, [refusedItem(gateway)])),
    ]);
  }
}

const ISSUER_TYPES = [ENTRY_TYPE.gateway, ENTRY_TYPE.dayKey, ENTRY_TYPE.credentials, ENTRY_TYPE.pruning];

/** The types that each writer may write here. */
export const WRITERS = [
  { publicKey: issuer.publicKey, types: ISSUER_TYPES },
  {
    publicKey: officer.publicKey,
    types: [ENTRY_TYPE.case, ENTRY_TYPE.access, ENTRY_TYPE.identity, ENTRY_TYPE.notices],
  },
];

/** A ledger that ran `rounds` times and was stopped; each run leaves a table, and the last one a write-ahead log. */
export async function variedLedger(
  dir: string,
  { rounds = 1, batches = 8 }: { readonly rounds?: number; readonly batches?: number } = {},
): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    const clock = standingClock(asUnixMs(NOW_MS + round * 1000));
    const ledger = await openLedger(ledgerDeps(dir, { clock, writers: WRITERS }));
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

export type Store = Level<Uint8Array, Uint8Array> & {
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
    ...(existsSync(join(dir, 'payloads')) ? await readdir(join(dir, 'payloads')) : []).map(
      (name) => `payloads/${name}`,
    ),
  ];
  const folders = ['store', 'payloads'];
  const files = names.filter((name) => !folders.includes(name) && !name.startsWith('store/LOG'));
  return Promise.all(files.sort().map(async (file) => ({ file, bytes: await readFile(join(dir, file)) })));
}
