/** What a ledger is put together from, on a store that is open. */
import type { CountedClock } from '../protocol/clock.js';
import { silentLog, type Log } from '../protocol/log.js';
import type { NoteSigner } from '../protocol/tlog/note.js';
import type { WitnessPolicy } from '../protocol/tlog/witness-policy.js';
import type { AdmissionContext } from './admission/item.js';
import { WriterDirectory, type ConfiguredWriter } from './admission/writer.js';
import { AppendClock, type AppendClockDeps } from './sequence/append-clock.js';
import { inlineChecker } from './intake/checker-inline.js';
import { openThreadChecker } from './intake/checker-threads.js';
import type { BatchChecker } from './intake/checker.js';
import { PayloadRemover } from './payload-remover.js';
import { Sequencer } from './sequence/sequencer.js';
import { readEdge } from './start.js';
import { DayRegister } from './store/day-record.js';
import type { StoreTuning } from './store/store-open.js';
import type { Store } from './store/store.js';
import type { Publication, PublicationTiming } from './witnesses/publication-contract.js';
import { openPublication } from './witnesses/publication.js';

export interface PartsDeps {
  /** The ledger's folder; made when it is not there. */
  readonly dir: string;
  /** Signs checkpoints; its name is the log's origin. */
  readonly logSigner: NoteSigner;
  readonly issuerPublicKey: Uint8Array;
  /** Everyone but the gateways, whom the issuer names in the log. */
  readonly writers: readonly ConfiguredWriter[];
  readonly retentionDays: number;
  readonly clock: CountedClock;
  /** Without it a clock that leapt is doubted until it is mended. */
  readonly saidRightMs?: AppendClockDeps['saidRightMs'];
  /** Who must cosign a checkpoint before readers see it (docs/witnesses.md); without it they see each commit. */
  readonly policy?: WitnessPolicy;
  /**
   * The folder was run with such a policy before: even when the file `published` is lost, readers are shown
   * nothing that was not cosigned.
   */
  readonly wasWitnessed?: boolean;
  /** Keeps `policy` for the starts to come, before anything that is published changes. */
  readonly keepPolicy?: () => Promise<void>;
  readonly publicationTiming?: Partial<PublicationTiming>;
  readonly storeTuning?: StoreTuning;
  readonly log?: Log;
  /** Threads that check batches; 0, when absent, checks them on this one (docs/decisions/0010). */
  readonly checkThreads?: number;
}

export interface LedgerParts {
  readonly store: Store;
  readonly directory: WriterDirectory;
  readonly checker: BatchChecker;
  readonly appendClock: AppendClock;
  readonly sequencer: Sequencer;
  readonly publication: Publication;
  readonly days: DayRegister;
  readonly remover: PayloadRemover;
}

/** The store stays the caller's, also when this throws: `foreign`, `input` and `damaged`, as `openLedger`. */
export async function openParts(store: Store, deps: PartsDeps): Promise<LedgerParts> {
  const { logSigner, issuerPublicKey, retentionDays, writers, log = silentLog } = deps;
  const directory = new WriterDirectory(writers, await store.gateways());
  const days = new DayRegister(await store.days());
  const edge = await readEdge(store, logSigner);
  const checker = await openChecker({ directory, issuerPublicKey, retentionDays }, deps.checkThreads, log);
  try {
    const publication = await publicationOf(store, deps, log);
    const appendClock = new AppendClock(
      { clock: deps.clock, saidRightMs: deps.saidRightMs, log },
      store.state(),
    );
    const sequencer = new Sequencer({
      store,
      edge,
      directory,
      days,
      retentionDays,
      logSigner,
      clock: appendClock,
    });
    const remover = new PayloadRemover(store, days, { log });
    return { store, directory, checker, appendClock, sequencer, publication, days, remover };
  } catch (error) {
    await checker.close().catch(() => undefined); // the first failure is the one to say
    throw error;
  }
}

async function openChecker(context: AdmissionContext, threads = 0, log: Log): Promise<BatchChecker> {
  return threads > 0 ? openThreadChecker(context, threads, { log }) : inlineChecker(context);
}

function publicationOf(store: Store, deps: PartsDeps, log: Log): Promise<Publication> {
  const {
    dir,
    logSigner: verifier,
    policy,
    wasWitnessed = false,
    keepPolicy,
    publicationTiming: timing,
    storeTuning: { disk } = {},
  } = deps;
  return openPublication({
    dir,
    store,
    verifier,
    log,
    wasWitnessed,
    ...(disk && { disk }),
    ...(policy && { policy }),
    ...(keepPolicy && { keepPolicy }),
    ...(timing && { timing }),
  });
}
