/** A tracer for one question, on a folder where none runs: it reads the ledger to its end and can record looks. */
import pc from 'picocolors';
import { isThere } from '../../host/system-words.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import type { WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { defaultOpenThreads } from '../../tracer/opening/opening-pool.js';
import type { Tracer } from '../../tracer/tracer.js';
import { signerFrom } from '../folder/deployment.js';
import { clockDoubtLine } from '../present/clock-doubt.js';
import { prunedReportsLine } from '../present/show-retention.js';
import { findLedger, noLedger } from '../folder/ledger-place.js';
import { terminalProgress } from '../terminal/progress.js';
import type { Session } from '../folder/session.js';
import { openFolderReader, startLedger } from './ledger.js';
import { startTracer } from './tracer.js';
import { startWriter } from './writer.js';

/**
 * No entry, no answer: where no ledger runs, one is started for as long as it takes to record the look. Throws `unreachable` on
 * a folder that has no ledger to start, or one that never ran: no look begins a log. It may have gone on elsewhere.
 */
export async function openLoneTracer(
  session: Session,
  asked: { readonly policy?: WitnessPolicy },
): Promise<Tracer> {
  const { folder, signal, onClose } = session;
  const log = { ...session.log, info: () => {} };
  const { mqttUrl, reader } = await reachLedger({ ...session, log });
  onClose(() => reader.close());
  const signer = await signerFrom(folder.tracer.writerKey);
  const writer = await startWriter({ ...session, log }, { signer, spoolDir: folder.tracer.spool, mqttUrl });
  onClose(writer.close);
  const { courier } = writer;
  const given = { reader, signer, courier, openThreads: defaultOpenThreads() };
  const tracer = await startTracer({ ...session, ...given, ...asked });
  onClose(() => tracer.close());
  const progress = terminalProgress(process.stderr);
  const show = (done: number, size: number): void =>
    progress.update(`reading ${done} of ${size} entries`, done / size);
  await tracer.catchUp(show, signal).finally(() => progress.done());
  const { prunedPayloads } = tracer.status();
  if (prunedPayloads > 0) console.log(pc.dim(prunedReportsLine(prunedPayloads)));
  return tracer;
}

async function reachLedger(
  session: Session,
): Promise<{ readonly mqttUrl: string; readonly reader: LedgerReader }> {
  const { folder, config, onClose } = session;
  const found = await findLedger(folder);
  if (found) return { mqttUrl: found.mqtt, reader: await openFolderReader(folder, config) };
  const hasStore = isThere(folder.ledger.store);
  if (!hasStore && !isThere(folder.ledger.logKey))
    throw new FirebreakError(
      'unreachable',
      `no tracer runs on ${folder.dir}, and its ledger is not here: ask where the tracer runs, over HTTP (docs/tracer-api.md), or write down where the ledger is (docs/apart.md)`,
    );
  if (!hasStore) throw noLedger(folder);
  const { ledger, mqttUrl, close } = await startLedger(session, { mqttPort: 0 });
  onClose(close);
  const { clockDoubt } = ledger.status();
  if (clockDoubt !== undefined) throw new FirebreakError('busy', clockDoubtLine(clockDoubt));
  return { mqttUrl, reader: ledger.reader() };
}
