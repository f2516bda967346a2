/** A process of its own that opens the ledger in argv[2], says on stdout how that went, and closes it. */
import { openLedger } from '../../../ledger/ledger.js';
import { FirebreakError } from '../../../protocol/errors.js';
import { ledgerDeps } from '../deployment.js';

const [, , dir = ''] = process.argv;
try {
  const ledger = await openLedger(ledgerDeps(dir));
  console.log(JSON.stringify({ size: ledger.status().size }));
  await ledger.close();
} catch (error) {
  if (!(error instanceof FirebreakError)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message }));
}
