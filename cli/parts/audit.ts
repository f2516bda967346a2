/** What answers a tag that asks who looked at it, put together from the authority's part of a folder. */
import { openAuditBook } from '../../authority/looks/audit-book.js';
import type { AuditBook } from '../../authority/looks/audit-book.js';
import { openAuditDesk } from '../../authority/looks/audit-desk.js';
import type { AuditDesk, AuditDeskDeps } from '../../authority/looks/audit-desk.js';
import { LoggedWords, type OwnWords } from '../../authority/records/own-words.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import type { WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { dayKeyFiles } from '../days/day-key-files.js';
import { signerFrom } from '../folder/deployment.js';
import { readKeyFile } from '../files/key-files.js';
import { logVerifier } from './ledger.js';
import type { PartContext } from './context.js';

export interface FolderAudit extends AuditDesk {
  readonly book: AuditBook;
  /** As {@link LoggedWords.words}. */
  readonly ownWords: () => OwnWords | undefined;
}

interface AuditGiven extends Pick<AuditDeskDeps, 'answerWithinMs'> {
  /** With one, the log that is read must be cosigned. */
  readonly policy?: WitnessPolicy;
}

/** Throws `not-found` or `permission` where the authority's keys are not in the folder. */
export async function startAudit(
  { folder, config, clock, log }: Pick<PartContext, 'folder' | 'config' | 'clock' | 'log'>,
  reader: LedgerReader,
  { policy, ...patience }: AuditGiven = {},
): Promise<FolderAudit> {
  const auditSecretKey = await readKeyFile(folder.authority.auditKey);
  const issuer = await signerFrom(folder.authority.issuerKey);
  const own = new LoggedWords(issuer.publicKey);
  const read = { reader, verifier: logVerifier(config), ...(policy && { policy }) };
  const book = openAuditBook({ ...read, auditSecretKey, own, log });
  const store = dayKeyFiles(folder.authority.dayKeys);
  const desk = openAuditDesk({
    book,
    issuer,
    keysOf: (day) => store.get(day),
    nowMs: () => clock.nowMs(),
    wallMs: () => Date.now(),
    retentionDays: config.settings.retentionDays,
    ...patience,
  });
  return { ...desk, book, ownWords: () => own.words() };
}
