/**
 * Readers are shown the newest checkpoint that a quorum of witnesses cosigned; the ledger goes on committing and giving
 * receipts meanwhile, and never waits here.
 *
 * In rounds: the newest commit becomes the candidate, all witnesses that are well are asked at once, and the
 * round ends when the quorum is there and the candidate is published, or when all have answered. Who answers
 * later still adds its cosignature, as long as no later checkpoint is published.
 */
import { pauseUntilStopped } from '../../host/clock-live.js';
import { LimitedLog } from '../../host/limited-log.js';
import { isBy } from '../../protocol/tlog/cosignature.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { proveConsistency } from '../../protocol/tlog/merkle.js';
import { readNote, signatureText } from '../../protocol/tlog/note.js';
import { tileHashReader } from '../../protocol/tlog/tile-hash-reader.js';
import { describeQuorum, isQuorum, type WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { readerOfStore } from '../readers/reader-level.js';
import { NODE_DISK } from '../store/disk.js';
import type {
  Publication,
  PublicationDeps,
  PublicationStatus,
  PublicationTiming,
} from './publication-contract.js';
import { writePublished, type PublishedHead } from './published-file.js';
import { WitnessClient, type Candidate } from './witness-client.js';

const TIMING: PublicationTiming = { timeoutMs: 5_000, backOffMs: 1_000, roundPauseMs: 200 };

const LOST = 'what was published is lost: readers are shown nothing until witnesses cosign';

/** A candidate, and who has cosigned it. */
interface Cosigned extends Candidate {
  /** Cosignature lines by the witness' name in the policy. */
  readonly lines: Map<string, string>;
}

export class WitnessedPublication implements Publication {
  readonly #deps: PublicationDeps;
  readonly #policy: WitnessPolicy;
  /** One for each witness, so that the many lines about one that wavers hold back none about another. */
  readonly #logs: ReadonlyMap<string, LimitedLog>;
  /** A file that cannot be written fails with each cosignature. */
  readonly #writeLog: LimitedLog;
  readonly #clients: readonly WitnessClient[];
  readonly #pauseMs: number;
  readonly #closing = new AbortController();
  readonly #asking = new Set<Promise<unknown>>();
  #published: PublishedHead | undefined;
  #candidate: Cosigned;
  #writing: Promise<void> = Promise.resolve();
  #failure: string | undefined;
  #isWoken = false;
  #endSleep = (): void => {};
  #running: Promise<void> = Promise.resolve();

  /** `published`: what readers are shown until more is cosigned, no cosignature of the policy's witnesses in it invalid. */
  constructor(deps: PublicationDeps, policy: WitnessPolicy, published: PublishedHead | undefined) {
    this.#deps = deps;
    this.#policy = policy;
    this.#published = published;
    const timing = { ...TIMING, ...deps.timing };
    this.#pauseMs = timing.roundPauseMs;
    this.#logs = new Map(policy.witnesses.map(({ name }) => [name, new LimitedLog(deps.log)]));
    this.#writeLog = new LimitedLog(deps.log);
    this.#clients = clientsOf(deps, policy, timing, (name) => this.#logs.get(name) ?? deps.log);
    this.#candidate = this.#newest();
  }

  start(): this {
    if (this.#published === undefined) this.#deps.log.warn(LOST);
    this.#running = this.#run();
    return this;
  }

  head(): PublishedHead {
    if (this.#published !== undefined) return this.#published;
    throw new FirebreakError('witness', `${LOST}; ask again in a moment`);
  }

  committed(): void {
    this.#wake();
  }

  status(): PublicationStatus {
    return {
      size: this.#published?.size ?? 0,
      quorum: describeQuorum(this.#policy),
      witnesses: this.#clients.map((client) => client.status()),
      failure: this.#failure ?? (this.#published === undefined ? LOST : undefined),
    };
  }

  async close(): Promise<void> {
    this.#closing.abort(new FirebreakError('closed', 'the ledger is closed'));
    this.#wake();
    await this.#running;
    await Promise.all(this.#asking);
    await this.#writing;
    for (const log of [...this.#logs.values(), this.#writeLog]) log.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#isWoken = false;
      if (this.#candidate.note !== this.#deps.store.state().checkpoint) this.#candidate = this.#newest();
      const due = this.#toAsk().filter(({ notBeforeMs }) => notBeforeMs <= performance.now());
      if (due.length > 0) await this.#round(this.#candidate, due);
      else await this.#publish(this.#candidate); // a write that failed before
      if (due.length > 0) await pauseUntilStopped(this.#pauseMs, signal);
      else await this.#sleep(this.#idleMs());
    }
  }

  /** Witnesses whose cosignature of the candidate is still missing, and who are not being asked. */
  #toAsk(): WitnessClient[] {
    const { lines } = this.#candidate;
    return this.#clients.filter((client) => !lines.has(client.name) && !client.isBusy);
  }

  /** Until a witness may be asked again, or a write tried again. */
  #idleMs(): number {
    const waits = this.#toAsk().map(({ notBeforeMs }) => notBeforeMs - performance.now());
    if (this.#failure !== undefined) waits.push(TIMING.backOffMs);
    return Math.max(0, Math.min(60_000, ...waits));
  }

  /**
   * The last commit as a candidate. If it is what was published last, it has the cosignatures that were shown
   * with that, all of them valid.
   */
  #newest(): Cosigned {
    const { checkpoint: note, size } = this.#deps.store.state();
    const { text } = readNote(note);
    const lines = new Map<string, string>();
    const published = this.#published && readNote(this.#published.checkpoint);
    const signatures = published?.text === text ? published.signatures : [];
    for (const { name, cosigner } of this.#policy.witnesses) {
      const own = signatures.find((signature) => isBy(signature, cosigner));
      if (own !== undefined) lines.set(name, signatureText(own));
    }
    return { note, text, size, lines };
  }

  /** Resolves when the quorum is there, or when all have answered. */
  #round(candidate: Cosigned, due: readonly WitnessClient[]): Promise<void> {
    return new Promise((resolve) => {
      let waiting = due.length;
      for (const client of due) {
        const asking = this.#ask(client, candidate).then((isPublished) => {
          waiting -= 1;
          this.#asking.delete(asking);
          if (isPublished || waiting === 0) resolve();
          this.#wake();
        });
        this.#asking.add(asking);
      }
    });
  }

  /** Never rejects. Tells whether there is nothing left to wait for. */
  async #ask(client: WitnessClient, candidate: Cosigned): Promise<boolean> {
    const line = await client.ask(candidate, this.#closing.signal);
    if (line !== undefined) candidate.lines.set(client.name, line);
    await this.#publish(candidate);
    return (this.#published?.size ?? 0) > candidate.size || this.#isQuorum(candidate);
  }

  /** Never rejects. */
  #publish(candidate: Cosigned): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write(candidate));
    return this.#writing;
  }

  async #write({ note, size, lines }: Cosigned): Promise<void> {
    if (size < (this.#published?.size ?? 0) || !this.#isQuorum({ lines })) return;
    const checkpoint = note + this.#policy.witnesses.map(({ name }) => lines.get(name) ?? '').join('');
    if (checkpoint === this.#published?.checkpoint) return;
    try {
      await writePublished(this.#deps.disk ?? NODE_DISK, this.#deps.dir, checkpoint);
      this.#published = { size, checkpoint };
      this.#failure = undefined;
    } catch (error) {
      this.#failure = asError(error).message;
      this.#writeLog.error('a cosigned checkpoint cannot be published', { why: this.#failure });
    }
  }

  #isQuorum({ lines }: Pick<Cosigned, 'lines'>): boolean {
    return isQuorum(this.#policy, new Set(lines.keys()));
  }

  #wake(): void {
    this.#isWoken = true;
    this.#endSleep();
  }

  /** Ends early when woken, also where that was before it began. */
  async #sleep(ms: number): Promise<void> {
    if (this.#isWoken) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endSleep = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function clientsOf(
  { store }: PublicationDeps,
  policy: WitnessPolicy,
  { timeoutMs, backOffMs }: PublicationTiming,
  logOf: (name: string) => Log,
): WitnessClient[] {
  const reader = readerOfStore(store);
  const prove = (oldSize: number, newSize: number) =>
    proveConsistency(oldSize, newSize, tileHashReader(reader, newSize));
  const heldSize = (): number => store.state().size;
  return policy.witnesses.flatMap(({ name, cosigner, url }) =>
    url === undefined
      ? []
      : [new WitnessClient({ name, cosigner, url, prove, heldSize, timeoutMs, backOffMs, log: logOf(name) })],
  );
}
