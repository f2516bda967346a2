/**
 * A ledger's folder as a cut of power leaves it, for fsck's tests and its bench: commits in both journals that the database
 * lacks, a pruned day, and a checkpoint that a witness cosigned.
 */
import { cpSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../../ledger/ledger.js';
import { PUBLISHED_FILE, storeLocation } from '../../ledger/store/folder.js';
import { cosign, cosignerWithKey } from '../../protocol/tlog/cosignature.js';
import { readNote } from '../../protocol/tlog/note.js';
import type { WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { destroyedItem, issuer, noticeItem, NOW_MS, officer, pruningItem, signerOf } from './deployment.js';
import { DAY, grown } from './pruning-stage.js';

const BATCH = 128;
/** Batches at the end that only the journal holds. */
const LAGGING = 2;

const witness = cosignerWithKey('witness.example/one', signerOf('witness one'));
/** Whose cosignature is on what was published. */
export const KILLED_POLICY: WitnessPolicy = {
  logs: [],
  witnesses: [{ name: 'one', cosigner: witness, url: undefined }],
  groups: [],
  quorum: 'one',
};

async function removalOf(ledger: Ledger): Promise<void> {
  for (let tries = 0; ledger.status().daysToRemove > 0; tries++) {
    if (tries === 1000) throw new Error('the payloads of a pruned day are not removed');
    await sleep(10);
  }
}

export interface Killed {
  /** Batches of 128 notices. */
  readonly batches: number;
  /** The journal's files take turns this often. */
  readonly journalTurnBytes: number;
}

/** Makes `dir`, copied from a ledger that runs beside it, its database some commits earlier than the rest. */
export async function prunedAndKilled(dir: string, { batches, journalTurnBytes }: Killed): Promise<void> {
  const [running, lagging] = [`${dir}-running`, `${dir}-lagging`];
  const { ledger, say, checkpoint } = await grown(running, { storeTuning: { journalTurnBytes } });
  try {
    await say(issuer, destroyedItem(DAY), pruningItem(DAY));
    await removalOf(ledger);
    for (let n = 0; n < batches; n++) {
      if (n === batches - LAGGING) cpSync(storeLocation(running), lagging, { recursive: true });
      await say(officer, ...Array.from({ length: BATCH }, (_, i) => noticeItem(`${n}/${i}`)));
    }
    cpSync(running, dir, { recursive: true });
    await rm(storeLocation(dir), { recursive: true });
    await rename(lagging, storeLocation(dir));
  } finally {
    await ledger.close();
    await rm(running, { recursive: true, force: true });
  }
  const cosigned = checkpoint + cosign(readNote(checkpoint).text, witness, NOW_MS / 1000);
  await writeFile(join(dir, PUBLISHED_FILE), cosigned);
}
