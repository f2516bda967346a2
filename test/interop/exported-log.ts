/** A log made by the real ledger and exported as a static folder, as `firebreak ledger export` does. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { exportLog } from '../../ledger/export/export-log.js';
import { openLedger } from '../../ledger/ledger.js';
import { MAX_BATCH_ITEMS, type BatchItem } from '../../protocol/mqtt/batch.js';
import { noteVerifierKey } from '../../protocol/tlog/note.js';
import {
  batchOf,
  certificateItem,
  issuer,
  ledgerDeps,
  logSigner,
  noticeItem,
  officer,
  ORIGIN,
  reportItem,
  signerOf,
} from '../ledger/deployment.js';

export const VKEY = noteVerifierKey(ORIGIN, logSigner.publicKey);
const gateway = signerOf('gateway');
/** So many entries come from a gateway, the rest from an officer. */
const MAX_REPORTS = 20;

/** Fills a ledger in `ledgerDir` up to `size` entries in all, and exports it to `exportDir`. */
export async function exportLogOf(size: number, ledgerDir: string, exportDir: string): Promise<void> {
  const ledger = await openLedger(ledgerDeps(ledgerDir));
  try {
    for (const batch of batchesFor(ledger.status().size, size)) await ledger.submit(batch);
    if (ledger.status().size !== size)
      throw new Error(`the ledger took ${ledger.status().size} of ${size} entries`);
    await exportLog(ledger.reader(), exportDir, logSigner);
  } finally {
    await ledger.close();
  }
}

/** The gateway's certificate, some of its reports, then notices; only notices in a log that has entries already. */
function* batchesFor(from: number, size: number): Generator<Uint8Array> {
  let at = from;
  // A later run numbers its batches from the size of the log, which leaves gaps but repeats no number.
  if (at === 0 && size > 0) {
    yield batchOf(issuer, 0, [certificateItem(gateway)]);
    const reports: BatchItem[] = Array.from({ length: Math.min(MAX_REPORTS, size - 1) }, () =>
      reportItem(gateway),
    );
    if (reports.length > 0) yield batchOf(gateway, 0, reports);
    at = 1 + reports.length;
  }
  for (let seq = at; at < size; seq += 1) {
    const count = Math.min(MAX_BATCH_ITEMS, size - at);
    const first = at;
    yield batchOf(
      officer,
      seq,
      Array.from({ length: count }, (_, index) => noticeItem(`entry ${first + index}`)),
    );
    at += count;
  }
}

/** Every file of a folder, relative to it, sorted. */
export async function filesOf(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return files.map((file) => file.slice(dir.length + 1)).sort();
}
