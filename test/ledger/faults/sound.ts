/** What must hold of a ledger's folder after anything that happened to it. */
import { openLedgerFolder } from '../../../ledger/reader-level.js';
import { verifyLog } from '../../../ledger/verify.js';
import { logSigner } from '../deployment.js';

/** The one place where a whole folder is checked, its ledger closed: every entry, tile and payload. Throws what is wrong. */
export async function requireSound(dir: string): Promise<void> {
  const reader = await openLedgerFolder(dir, { origin: logSigner.name, logPublicKey: logSigner.publicKey });
  try {
    const { checkpoint, payloads } = await verifyLog(reader, logSigner, { payloads: true });
    if (payloads !== checkpoint.size) throw new Error(`${payloads} payloads of ${checkpoint.size} entries`);
  } finally {
    await reader.close();
  }
}
