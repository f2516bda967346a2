/**
 * Fault pairs: the scripted run with one call to the disk failing, not done or done all the same, then the folder opened
 * again on a healthy disk. Whatever was acknowledged is there once, and the rest can be sent again.
 */
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedger } from '../../../ledger/ledger.js';
import { ledgerDeps } from '../deployment.js';
import { FaultyDisk, type Fault } from './faulty-disk.js';
import { BATCHES, codeOf, run, tuned, type RunResult } from './scripted-run.js';
import { requireSound } from './sound.js';

/** Batches the folder of {@link prepareFolders} holds, the later ones in its journal alone. */
const SETTLED = 6;
const JOURNALED = 12;

const STOPPED: ReadonlySet<string> = new Set(['closed', 'full', 'damaged']);

/** Nothing here is about losing power: where there is a file system in memory, it is quicker. */
export const memoryFolder = (): string => (existsSync('/dev/shm') ? '/dev/shm' : tmpdir());

/** A life of the ledger to let a call fail in. */
export interface Life {
  readonly name: string;
  /** Folder it begins with; `undefined`: an empty one. */
  readonly template: string | undefined;
  readonly from: number;
  readonly to: number;
}

async function submitTo(dir: string, from: number, to: number, snapshot?: string): Promise<void> {
  const ledger = await openLedger(ledgerDeps(dir));
  for (const { bytes } of BATCHES.slice(from, to)) await ledger.submit(bytes);
  if (snapshot !== undefined) await cp(dir, snapshot, { recursive: true });
  await ledger.close();
}

/** Two lives: of a new folder, and of one whose power was cut while its database lagged behind the journal. */
export async function prepareLives(folder: string): Promise<readonly Life[]> {
  const [dir, template] = [join(folder, 'before'), join(folder, 'cut-off')];
  await submitTo(dir, 0, SETTLED);
  const lagging = join(folder, 'lagging');
  await cp(join(dir, 'store'), lagging, { recursive: true });
  await submitTo(dir, SETTLED, JOURNALED, template);
  await rm(join(template, 'store'), { recursive: true });
  await cp(lagging, join(template, 'store'), { recursive: true });
  return [
    { name: 'a new folder', template: undefined, from: 0, to: JOURNALED },
    { name: 'a folder cut off', template, from: JOURNALED, to: BATCHES.length },
  ];
}

/** What one fault came to. */
export interface Outcome {
  /** What was called when it failed; `undefined` when the life was over before. */
  readonly call: string | undefined;
  readonly acknowledged: number;
  /** The ledger went on as if nothing had happened, or stopped. */
  readonly stopped: boolean;
  readonly leftOpen: number;
  /** What is not as it must be; empty when all is well. */
  readonly wrong: readonly string[];
}

const base64 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('base64');

function wrongInRun({ receipts, errors, failure }: RunResult, { from, to }: Life): string[] {
  const wrong = errors
    .filter((error) => !STOPPED.has(codeOf(error)))
    .map((error) => `an error of no clear kind: ${String(error)}`);
  const refused = to - from - receipts.size;
  if (failure === undefined && errors.length > 0 && refused > 0 && refused < to - from)
    wrong.push(`batches were rejected but the ledger does not say why: ${String(errors[0])}`);
  return wrong;
}

/** Opens the folder again, submits everything again and compares. */
async function wrongAfter(
  dir: string,
  life: Life,
  receipts: ReadonlyMap<number, Uint8Array>,
): Promise<string[]> {
  const ledger = await openLedger(tuned(dir));
  try {
    const wrong: string[] = [];
    const atLeast = BATCHES.slice(0, life.from).length + receipts.size;
    for (const [seq, { bytes }] of BATCHES.slice(0, life.to).entries()) {
      const again = base64(await ledger.submit(bytes));
      const told = receipts.get(seq);
      if (told !== undefined && again !== base64(told)) wrong.push(`batch ${seq} has another receipt now`);
    }
    const entries = BATCHES.slice(0, life.to).reduce((sum, { items }) => sum + items, 0);
    const { size, counters } = ledger.status();
    if (size !== entries) wrong.push(`${size} entries, not ${entries}`);
    if (counters.batches < atLeast) wrong.push(`${counters.batches} batches counted`);
    return wrong;
  } finally {
    await ledger.close();
    await requireSound(dir);
  }
}

/** Lives `life` in a folder of its own with `fault`, and says what is wrong afterwards. */
export async function faultedLife(folder: string, life: Life, fault: Fault | undefined): Promise<Outcome> {
  const dir = await mkdtemp(join(folder, 'life-'));
  const disk = new FaultyDisk(fault);
  try {
    if (life.template !== undefined) await cp(life.template, dir, { recursive: true });
    const result = await run(dir, disk, life.from, life.to);
    const leftOpen = await disk.endProcess();
    const wrong = wrongInRun(result, life);
    try {
      wrong.push(...(await wrongAfter(dir, life, result.receipts)));
    } catch (error) {
      wrong.push(`the folder does not open again or is not sound: ${String(error)}`);
    }
    const call = fault && disk.wasReached ? disk.calls[fault.call] : undefined;
    const acknowledged = result.receipts.size;
    return { call, acknowledged, stopped: result.errors.length > 0, leftOpen, wrong };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** How many calls a life makes when nothing fails. */
export async function callsOf(folder: string, { template, from, to }: Life): Promise<readonly string[]> {
  const dir = await mkdtemp(join(folder, 'life-'));
  if (template !== undefined) await cp(template, dir, { recursive: true });
  const disk = new FaultyDisk();
  await run(dir, disk, from, to);
  await rm(dir, { recursive: true });
  return disk.calls;
}
