/** A process to be killed: opens the ledger in argv[2] and appends until it dies, telling each receipt on stdout. */
import { openLedger } from '../../ledger/ledger.js';
import { batchOf, ledgerDeps, noticeItem, officer } from './deployment.js';

const [, , dir = '', firstSeq = '0'] = process.argv;
const ledger = await openLedger(ledgerDeps(dir));

async function append(seq: number): Promise<void> {
  const batch = batchOf(
    officer,
    seq,
    Array.from({ length: 1 + (seq % 40) }, (_, i) => noticeItem(`${seq}/${i}`)),
  );
  const receipt = await ledger.submit(batch);
  process.stdout.write(`${JSON.stringify({ seq, receipt: Buffer.from(receipt).toString('base64') })}\n`);
}

/** Several at a time, so that commits hold several batches. */
async function appendFrom(seq: number, step: number): Promise<void> {
  for (let next = seq; ; next += step) await append(next);
}

await Promise.all([0, 1, 2, 3, 4].map((lane) => appendFrom(Number(firstSeq) + lane, 5)));
