/** What the writers of the kill suite send: the same bytes for the same (writer, seq), in the process killed and in the one that checks. */
import { readFileSync } from 'node:fs';
import type { LedgerDeps } from '../../../ledger/ledger.js';
import { asUnixMs } from '../../../protocol/brands.js';
import { ENTRY_TYPE } from '../../../protocol/tlog/entry.js';
import type { Signer } from '../../../protocol/crypto/ed25519.js';
import {
  batchOf,
  certificateItem,
  issuer,
  ledgerDeps,
  noticeItem,
  NOW_MS,
  reportItem,
  signerOf,
  standingClock,
} from '../deployment.js';

/** Turns come every few hundred entries, so that kills hit them. */
const JOURNAL_TURN_BYTES = 96 * 1024;
const INDEX_TABLE_RECORDS = 512;
const CLOCK_ERROR_MS = 3 * 3_600_000;

const POOL = 240;

/** What is random in a deployment: made once, read by all. */
export interface Fixture {
  readonly certificateBatch: string;
  readonly reports: readonly string[];
}

const gateway = signerOf('gateway of the kill suite');

export function makeFixture(): Fixture {
  const certificateBatch = batchOf(issuer, 0, [certificateItem(gateway)]);
  const reports = Array.from({ length: POOL }, () => reportItem(gateway).payload);
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return { certificateBatch: text(certificateBatch), reports: reports.map(text) };
}

/** A writer, how many of its batches are under way at once, and what they hold. */
export interface Writer {
  readonly signer: Signer;
  readonly atOnce: number;
  batch(seq: number): Uint8Array;
}

function noticeWriter(name: string, atOnce: number, sizeOf: (seq: number) => number): Writer {
  const signer = signerOf(`writer ${name}`);
  const items = (seq: number) =>
    Array.from({ length: sizeOf(seq) }, (_, i) => noticeItem(`${name}/${seq}/${i}`));
  return { signer, atOnce, batch: (seq) => batchOf(signer, seq, items(seq)) };
}

const notices: readonly Writer[] = [
  ...['a', 'b', 'c', 'd', 'e', 'f'].map((name) => noticeWriter(name, 1, () => 1)),
  noticeWriter('some', 3, (seq) => 1 + ((seq * 7) % 40)),
  noticeWriter('many', 1, () => 64),
];

/** Reports come again in later batches: each may stand in the log once. */
function reportWriter(reports: readonly string[]): Writer {
  const payloads = reports.map((report) => Buffer.from(report, 'base64'));
  const itemOf = (n: number) => ({
    type: ENTRY_TYPE.tagReport,
    timeMs: NOW_MS,
    payload: payloads[n % payloads.length] ?? new Uint8Array(0),
  });
  const itemsOf = (seq: number) => [0, 1, 2].map((i) => itemOf(2 * seq + i));
  return { signer: gateway, atOnce: 1, batch: (seq) => batchOf(gateway, seq, itemsOf(seq)) };
}

export interface Load {
  /** To be sent before the writers begin, in every life. */
  readonly certificateBatch: Uint8Array;
  readonly writers: readonly Writer[];
}

export function loadFrom(fixtureFile: string): Load {
  const { certificateBatch, reports } = JSON.parse(readFileSync(fixtureFile, 'utf8')) as Fixture;
  return {
    certificateBatch: Buffer.from(certificateBatch, 'base64'),
    writers: [...notices, reportWriter(reports)],
  };
}

/** Its clock is hours off, another way each time. */
export function loadDeps(dir: string): LedgerDeps {
  const offMs = Math.floor((Math.random() - 0.5) * 2 * CLOCK_ERROR_MS);
  return ledgerDeps(dir, {
    writers: [
      ...ledgerDeps(dir).writers,
      ...notices.map(({ signer }) => ({ publicKey: signer.publicKey, types: [ENTRY_TYPE.notices] })),
    ],
    clock: standingClock(asUnixMs(NOW_MS + offMs)),
    storeTuning: { journalTurnBytes: JOURNAL_TURN_BYTES, indexTableRecords: INDEX_TABLE_RECORDS },
  });
}
