/** The tracer of a folder, put together. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Courier } from '../../courier/courier.js';
import type { Clock } from '../../protocol/clock.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import type { Log } from '../../protocol/log.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import type { WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { openContactStore } from '../../tracer/contacts/open-contact-store.js';
import { accessRecorder } from '../../tracer/looks/access.js';
import type { AccessRecorder } from '../../tracer/looks/access.js';
import { AskerError } from '../../tracer/asker-error.js';
import { MAY_BE_RECORDED } from '../../tracer/looks/nobody-found.js';
import type { CheckpointStore } from '../../tracer/follow/checkpoint-store.js';
import { openTracer } from '../../tracer/tracer.js';
import type { Tracer } from '../../tracer/tracer.js';
import type { WalkPool } from '../../tracer/walk/walk-pool.js';
import { writeAtomically } from '../files/atomic-file.js';
import type { Config } from '../folder/config.js';
import { dayKeyFiles } from '../days/day-key-files.js';
import type { DataFolder } from '../folder/folder.js';
import { logVerifier } from './ledger.js';
import { dayKeysIn } from './tracer-day-keys.js';

/** Wall ms to wait until the ledger has recorded a look. */
const RECORD_WAIT_MS = 30_000;

interface TracerGiven {
  readonly folder: DataFolder;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  /** Breaks off reading what is in the folder. */
  readonly signal?: AbortSignal;
  readonly reader: LedgerReader;
  /** Without one the tracer reads and answers nothing. */
  readonly courier?: Courier;
  /** The courier's key; without it there are no evidence bundles. */
  readonly signer?: Signer;
  /** Who must have cosigned what it reads. */
  readonly policy?: WitnessPolicy;
  /** Told of each look that the ledger has recorded. */
  readonly onLook?: () => void;
  /** Threads that walk; the tracer closes them. */
  readonly walks?: WalkPool;
  /** Threads that open reports. None when absent: a demo's tracer is done before threads pay for their start. */
  readonly openThreads?: number;
}

/** The caller closes it. Throws what opening its contacts throws. */
export async function startTracer(given: TracerGiven): Promise<Tracer> {
  const { folder, config, log, signal, reader, courier, signer, policy, walks, openThreads = 0 } = given;
  const { retentionDays, sampleHoldSeconds } = config.settings;
  const access = courier && recorderOver(courier, given);
  const contacts = await openContactStore(folder.tracer.contacts, {
    log,
    walksUnderWay: walks?.underWay,
    ...(signal && { signal }),
  });
  return openTracer({
    contacts,
    log,
    reader,
    verifier: logVerifier(config),
    checkpoints: checkpointFile(folder.tracer.checkpoint, logVerifier(config)),
    issuerPublicKey: config.issuerPublicKey,
    dayKeys: dayKeysIn(dayKeyFiles(folder.authority.dayKeys), log),
    retentionDays,
    sampleHoldSeconds,
    openThreads,
    ...(access && { access }),
    ...(walks && { walks }),
    ...(signer && { signer }),
    ...(policy && { policy }),
  });
}

const recorderOver = (courier: Courier, { config, clock, onLook }: TracerGiven): AccessRecorder =>
  accessRecorder({
    auditPublicKey: config.auditPublicKey,
    nowMs: () => clock.nowMs(),
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    commit: async (entries) => {
      const indexes = await commit(courier, entries);
      onLook?.();
      return indexes;
    },
  });

/** The indexes the ledger gave the entries. Throws `timeout`, and `permission` when the ledger refused one. */
async function commit(courier: Courier, entries: Parameters<Courier['post']>[0]): Promise<readonly number[]> {
  const posted = await courier.post(entries);
  const late = new Promise<never>((_, reject) => {
    const error = new AskerError(
      'timeout',
      `the ledger has not said in time that it has this look, so there is no answer: see firebreak ledger status; ${MAY_BE_RECORDED}`,
    );
    setTimeout(() => reject(error), RECORD_WAIT_MS).unref();
  });
  const deliveries = await Promise.race([Promise.all(posted.map((one) => one.delivered())), late]);
  return deliveries.map((delivery) => {
    if (delivery.index !== undefined) return delivery.index;
    throw new AskerError('permission', `the ledger refused to record this look: ${delivery.refusal}`);
  });
}

function checkpointFile(file: string, verifier: NoteVerifier): CheckpointStore {
  return {
    load: async () => {
      const note = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (note !== undefined) requireCheckpoint(file, note, verifier);
      return note;
    },
    save: (checkpoint) => writeAtomically(file, checkpoint),
  };
}

/** What was verified before is what a rollback is told by: one that cannot be read is not passed over. */
function requireCheckpoint(file: string, note: string, verifier: NoteVerifier): void {
  try {
    openCheckpoint(note, verifier);
  } catch (cause) {
    throw new FirebreakError(
      'damaged',
      `${file} is not a checkpoint of this log: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}
