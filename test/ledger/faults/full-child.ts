/**
 * A process whose files may not grow beyond a limit, or whose disk is full: `full-child DIR` opens the ledger, appends
 * until it is refused, tells the receipts and what it was refused with, and closes the ledger.
 */
import { writeSync } from 'node:fs';
import { openLedger } from '../../../ledger/ledger.js';
import { asError, FirebreakError } from '../../../protocol/errors.js';
import { batchOf, ledgerDeps, noticeItem, officer } from '../deployment.js';

const [, , dir = ''] = process.argv;
const STDOUT = 1;
const tell = (what: object): void => void writeSync(STDOUT, `${JSON.stringify(what)}\n`);
const failureOf = (error: unknown): object => ({
  code: error instanceof FirebreakError ? error.code : 'none',
  message: asError(error).message,
});

const ledger = await openLedger(ledgerDeps(dir));
try {
  for (let seq = 0; ; seq++) {
    const items = Array.from({ length: 64 }, (_, i) => noticeItem(`${seq}/${i}`));
    const receipt = await ledger.submit(batchOf(officer, seq, items));
    tell({ seq, receipt: Buffer.from(receipt).toString('base64') });
  }
} catch (error) {
  tell({ refused: failureOf(error), failure: ledger.status().failure });
}
await ledger.close().catch((error: unknown) => tell({ closing: failureOf(error) }));
