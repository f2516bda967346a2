/** What must hold of a ledger's folder after anything that happened to it. */
import { fsckLedger } from '../../../ledger/fsck/fsck.js';
import { openLedgerFolder } from '../../../ledger/readers/reader-level.js';
import { verifyLog } from '../../../ledger/verify/verify.js';
import { issuer, logSigner } from '../deployment.js';

/** The one place where a whole folder is checked, its ledger closed: every entry, tile and payload. Throws what is wrong. */
export async function requireSound(dir: string): Promise<void> {
  const reader = await openLedgerFolder(dir, { origin: logSigner.name, logPublicKey: logSigner.publicKey });
  try {
    const { checkpoint, payloads } = await verifyLog(reader, logSigner, { payloads: true });
    if (payloads !== checkpoint.size) throw new Error(`${payloads} payloads of ${checkpoint.size} entries`);
  } finally {
    await reader.close();
  }
  const { findings } = await fsckLedger({ dir, verifier: logSigner, issuerPublicKey: issuer.publicKey });
  const damage = findings.kept.filter(({ kind }) => kind === 'damage');
  if (damage.length > 0) throw new Error(`fsck: ${JSON.stringify(damage.slice(0, 3))}`);
}
