/**
 * What the scale bench does in processes of their own: `scale-run fill DIR COUNT` appends to a log and tells its memory
 * on the way, `scale-run open DIR` opens it to read and proves entries, `scale-run restart DIR` opens it as the ledger does
 * that goes on with it. Figures as JSON lines on stdout.
 */
import { randomFillSync, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { liveClock } from '../host/clock-live.js';
import { openLedger } from '../ledger/ledger.js';
import { openLogView } from '../ledger/readers/log-view.js';
import { proveEntry } from '../ledger/proofs/prove.js';
import { openLedgerFolder } from '../ledger/readers/reader-level.js';
import { logSigner, openOurs } from './append-ours.js';

const BATCH = 1024;
const PAYLOAD_BYTES = 250;
const PROOFS = 2000;

const MEBIBYTE = 2 ** 20;

/**
 * What the process holds, and what of it is its own: the rest are pages of the database's files, which LevelDB maps and the
 * system takes back when it likes.
 */
function memory(): { readonly residentMB: number; readonly ownMB: number } {
  const own = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return {
    residentMB: Math.round(process.memoryUsage.rss() / MEBIBYTE),
    ownMB: Math.round((Number(own) * 1024) / MEBIBYTE),
  };
}
const tell = (figures: object): void => console.log(JSON.stringify(figures));

async function fill(dir: string, count: number): Promise<void> {
  const appender = await openOurs(dir);
  const startMs = performance.now();
  for (let size = 0; size < count; size += BATCH) {
    const bytes = randomFillSync(Buffer.allocUnsafe(BATCH * PAYLOAD_BYTES));
    await appender.append(
      Array.from({ length: BATCH }, (_, i) => bytes.subarray(i * PAYLOAD_BYTES, (i + 1) * PAYLOAD_BYTES)),
    );
    const entries = appender.length();
    const million = (n: number): number => Math.floor(n / 1_000_000);
    if (million(entries) === million(entries - BATCH)) continue;
    const seconds = Math.round((performance.now() - startMs) / 1000);
    tell({ bench: 'scale', entries, seconds, ...memory() });
  }
  await appender.close();
}

async function open(dir: string): Promise<void> {
  const startMs = performance.now();
  const reader = await openLedgerFolder(dir, { origin: logSigner.name, logPublicKey: logSigner.publicKey });
  const openedMs = Math.round(performance.now() - startMs);
  const view = await openLogView(reader, logSigner);
  const took: number[] = [];
  for (let i = 0; i < PROOFS; i++) {
    const proofStartMs = performance.now();
    await proveEntry(view, logSigner, randomInt(view.checkpoint.size));
    took.push(performance.now() - proofStartMs);
  }
  await reader.close();
  took.sort((a, b) => a - b);
  const at = (share: number): number => Number((took[Math.floor(took.length * share)] ?? 0).toFixed(2));
  tell({
    bench: 'scale',
    entries: view.checkpoint.size,
    openedMs,
    proofP50Ms: at(0.5),
    proofP99Ms: at(0.99),
    ...memory(),
  });
}

async function restart(dir: string): Promise<void> {
  const startMs = performance.now();
  const ledger = await openLedger({
    dir,
    logSigner,
    receiptSigner: logSigner,
    issuerPublicKey: logSigner.publicKey,
    writers: [],
    retentionDays: 21,
    clock: liveClock(),
  });
  const openedMs = Math.round(performance.now() - startMs);
  tell({
    bench: 'scale',
    case: 'restarted after a kill',
    entries: ledger.status().size,
    openedMs,
    ...memory(),
  });
  await ledger.close();
}

const [, , what = '', dir = '', count = '0'] = process.argv;
if (what === 'fill') await fill(dir, Number(count));
else await (what === 'restart' ? restart(dir) : open(dir));
