/** What must hold of a ledger's folder after anything that happened to it. */
import { expect } from 'vitest';
import type { Ledger } from '../../../ledger/ledger.js';
import { verifyLog } from '../../../ledger/verify.js';
import { logSigner } from '../deployment.js';

/** The one place where a whole ledger is checked: every entry, tile and payload. */
export async function requireSound(ledger: Ledger): Promise<void> {
  const { size } = ledger.status();
  const summary = await verifyLog(ledger.reader(), logSigner, { payloads: true });
  expect(summary).toMatchObject({ payloads: size, withoutPayload: [] });
}
