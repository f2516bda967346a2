/** Fault pairs in figures: each call that a short life of the ledger makes to its disk fails once, in every way. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  callsOf,
  faultedLife,
  memoryFolder,
  prepareLives,
  type Life,
  type Outcome,
} from '../test/ledger/faults/fault-sweep.js';
import { faultsOf, type Fault } from '../test/ledger/faults/faulty-disk.js';

const AT_ONCE = 4;

interface Met {
  readonly fault: Fault;
  readonly outcome: Outcome;
}

async function sweep(folder: string, life: Life): Promise<void> {
  const calls = await callsOf(folder, life);
  const faults = faultsOf(calls);
  const met: Met[] = [];
  const lane = async (): Promise<void> => {
    for (let fault = faults.shift(); fault; fault = faults.shift())
      met.push({ fault, outcome: await faultedLife(folder, life, fault) });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  const reached = met.filter(({ outcome }) => outcome.call !== undefined);
  const wrong = met.filter(({ outcome }) => outcome.wrong.length > 0);
  const figures = {
    calls: calls.length,
    kindsOfCall: new Set(calls).size,
    faults: reached.length,
    stopped: reached.filter(({ outcome }) => outcome.stopped).length,
    acknowledged: met.reduce((sum, { outcome }) => sum + outcome.acknowledged, 0),
    wrong: wrong.length,
  };
  console.log(JSON.stringify({ bench: 'faults', life: life.name, ...figures }));
  if (wrong.length > 0) throw new Error(`not safe: ${JSON.stringify(wrong.slice(0, 20))}`);
}

export async function benchFaults(): Promise<void> {
  const folder = await mkdtemp(join(memoryFolder(), 'firebreak-faults-'));
  try {
    for (const life of await prepareLives(folder)) await sweep(folder, life);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
