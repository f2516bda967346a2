/** What answers a tag that asks who looked at it, put together from the authority's part of a folder. */
import { openAuditBook } from '../../authority/audit-book.js';
import type { AuditBook } from '../../authority/audit-book.js';
import { openAuditDesk } from '../../authority/audit-desk.js';
import type { AuditDesk } from '../../authority/audit-desk.js';
import { LoggedWords, type OwnWords } from '../../authority/own-words.js';
import type { LedgerReader } from '../../protocol/ledger-reader.js';
import type { WitnessPolicy } from '../../protocol/witness-policy.js';
import { dayKeyFiles } from '../day-key-files.js';
import { signerFrom } from '../deployment.js';
import { readKeyFile } from '../key-files.js';
import { logVerifier } from './ledger.js';
import type { PartContext } from './context.js';

export interface FolderAudit extends AuditDesk {
  readonly book: AuditBook;
  /** As {@link LoggedWords.words}. */
  readonly ownWords: () => OwnWords | undefined;
}

/** With a policy, the log it reads must be cosigned. Throws `not-found` or `permission` where the authority's keys are not in the folder. */
export async function startAudit(
  { folder, config, clock, log }: Pick<PartContext, 'folder' | 'config' | 'clock' | 'log'>,
  reader: LedgerReader,
  asked: { readonly policy?: WitnessPolicy } = {},
): Promise<FolderAudit> {
  const auditSecretKey = await readKeyFile(folder.authority.auditKey);
  const issuer = await signerFrom(folder.authority.issuerKey);
  const own = new LoggedWords(issuer.publicKey);
  const book = openAuditBook({ reader, verifier: logVerifier(config), auditSecretKey, own, log, ...asked });
  const store = dayKeyFiles(folder.authority.dayKeys);
  const desk = openAuditDesk({
    book,
    issuer,
    keysOf: (day) => store.get(day),
    nowMs: () => clock.nowMs(),
    wallMs: () => Date.now(),
    retentionDays: config.settings.retentionDays,
  });
  return { ...desk, book, ownWords: () => own.words() };
}
