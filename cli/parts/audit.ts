/** What answers a tag that asks who looked at it, put together from the authority's part of a folder. */
import { openAuditBook } from '../../authority/audit-book.js';
import type { AuditBook } from '../../authority/audit-book.js';
import { openAuditDesk } from '../../authority/audit-desk.js';
import type { AuditDesk } from '../../authority/audit-desk.js';
import type { LedgerReader } from '../../protocol/ledger-reader.js';
import type { WitnessPolicy } from '../../protocol/witness-policy.js';
import { dayKeyFiles } from '../day-key-files.js';
import { signerFrom } from '../deployment.js';
import { readKeyFile } from '../key-files.js';
import { logVerifier } from './ledger.js';
import type { PartContext } from './context.js';

/** With a policy, the log it reads must be cosigned. Throws `not-found` or `permission` where the authority's keys are not in the folder. */
export async function startAudit(
  { folder, config, clock }: Pick<PartContext, 'folder' | 'config' | 'clock'>,
  reader: LedgerReader,
  asked: { readonly policy?: WitnessPolicy } = {},
): Promise<AuditDesk & { readonly book: AuditBook }> {
  const auditSecretKey = await readKeyFile(folder.authority.auditKey);
  const book = openAuditBook({ reader, verifier: logVerifier(config), auditSecretKey, ...asked });
  const store = dayKeyFiles(folder.authority.dayKeys);
  const desk = openAuditDesk({
    book,
    issuer: await signerFrom(folder.authority.issuerKey),
    keysOf: (day) => store.get(day),
    nowMs: () => clock.nowMs(),
    wallMs: () => Date.now(),
    retentionDays: config.settings.retentionDays,
  });
  return { ...desk, book };
}
