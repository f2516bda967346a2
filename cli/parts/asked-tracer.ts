/** Who answers a question on a folder: the tracer that runs there, or one for this question alone. */
import { toHex } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import type { Tracer } from '../../tracer/tracer.js';
import { readKeyFile } from '../files/key-files.js';
import { findRunning } from '../files/run-files.js';
import { readStatus } from '../files/status-file.js';
import type { DataFolder } from '../folder/folder.js';
import type { Session } from '../folder/session.js';
import { clockDoubtLine } from '../present/clock-doubt.js';
import { ledgerStatusSchema } from '../present/ledger-screen.js';
import { usage } from '../terminal/exit.js';
import { openLoneTracer } from './lone-tracer.js';

export interface WaysToAsk<Answer> {
  readonly running: (url: string, token: string) => Promise<Answer>;
  readonly lone: (tracer: Tracer) => Promise<Answer>;
}

/** Throws `busy` where the ledger of the folder takes no look in, `usage` for a policy beside a tracer that runs, what {@link openLoneTracer} throws, and what the asking throws. */
export async function askOnFolder<Answer>(
  session: Session,
  asked: { readonly policy?: WitnessPolicy },
  ask: WaysToAsk<Answer>,
): Promise<Answer> {
  const running = await runningTracer(session.folder);
  if (running === undefined) {
    const tracer = await openLoneTracer(session, asked);
    await requireBelievedClock(session.folder);
    return ask.lone(tracer);
  }
  if (asked.policy !== undefined)
    throw usage('a tracer runs on this folder and reads under its own policy: give --policy to tracer run');
  await requireBelievedClock(session.folder);
  return ask.running(...running);
}

/** Without a status that can be read the ledger answers for itself. */
const NOTHING = (): undefined => undefined;

/** A ledger that doubts its clock would let the look wait in vain. One on another machine leaves no status here. */
async function requireBelievedClock(folder: DataFolder): Promise<void> {
  const read = await readStatus(folder, folder.ledger.status, 'the ledger', ledgerStatusSchema).catch(
    NOTHING,
  );
  const doubt = read?.isRunning === true ? read.status.clockDoubt : undefined;
  if (doubt !== undefined) throw new FirebreakError('busy', `there is no answer: ${clockDoubtLine(doubt)}`);
}

/** Where the one that runs is asked, and the folder's own token; `undefined` where none runs. */
export async function runningTracer(
  folder: DataFolder,
): Promise<readonly [url: string, token: string] | undefined> {
  const running = await findRunning(folder, 'tracer');
  return running && [running.http, toHex(await readKeyFile(folder.tracer.apiToken))];
}
