/**
 * Who looked at which tag, as the ledger has it: follows the log, opens its access records with the audit key, and says of
 * one tag in which looks it was.
 *
 * Memory: 104 bytes for each access entry, and opened payloads up to `keepBytes`, the tags of each in a sorted typed array (4
 * bytes a tag, 8 for numbers from 2^32 on). Beyond that payloads are read and opened again for each question. Nothing is
 * kept on disk: after a start the log is read once more.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import type { AuditAnswer, UnreadReason } from '../../protocol/tag/audit-answer.js';
import type { TagNumber } from '../../protocol/brands.js';
import { equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { isPruned, type FoundPayload, type LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import type { Log } from '../../protocol/log.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { openAccessPart, type AccessPart } from '../../protocol/payload/access.js';
import { undamagedPayloads } from '../../protocol/tlog/undamaged-payloads.js';
import type { WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { AccessFollower, type OwnRow } from './access-follower.js';
import { AccessRows, type AccessRow } from './access-rows.js';
import type { LogDays } from '../days/clock-trust.js';
import { LooksOfTag } from './looks-of-tag.js';
import type { LoggedWords } from '../records/own-words.js';

const DEFAULT_KEEP_BYTES = 128 * 1_048_576;
/** Payloads read at once: at most 2 MiB, and a few ms of opening between two breaths. */
const PAYLOADS_AT_ONCE = 32;
/** What a kept part takes beside its tags, about. */
const PART_BYTES = 2_048;

const LOOKS_DAMAGED =
  'payloads of looks are damaged in the ledger and count as missing in what people are answered';
const OWN_DAMAGED =
  'payloads that the authority wrote are damaged in the ledger; if the log was not read whole since this start, no notice is ' +
  'given and no gateway certified until they can be read';

const hashOf = ({ payloadSha256 }: { readonly payloadSha256: Uint8Array }): Uint8Array => payloadSha256;

export interface AuditBookDeps {
  readonly reader: LedgerReader;
  readonly verifier: NoteVerifier;
  /** Who must have cosigned a checkpoint before anything under it is used. */
  readonly policy?: WitnessPolicy;
  /** X25519: access records are sealed to it. */
  readonly auditSecretKey: Uint8Array;
  /** Of opened payloads to hold; 128 MiB by default, the tags of some 30 million people in looks. */
  readonly keepBytes?: number;
  /** Takes what the authority itself wrote to the log. */
  readonly own?: LoggedWords;
  /** Told of payloads that the ledger finds damaged, of each once: the indexes of their entries, and nothing of anybody. */
  readonly log?: Log;
}

/** The looks that a tag was in, and the checkpoint up to which the log was read. */
export type TagAudit = Omit<AuditAnswer, 'older'>;

export interface AuditBook {
  /**
   * Reads and verifies what the ledger has added; calls take turns. Throws `consistency`, `chain`, `signature`, `foreign` or
   * `witness` for a log that does not add up, and what the reader throws; what was verified stays.
   */
  catchUp(signal?: AbortSignal): Promise<void>;
  /** The ledger's own times of what was verified so far; `undefined` before the first entry. */
  days(): LogDays | undefined;
  /** Catches up, then answers. Throws as {@link catchUp}. */
  looksAt(tag: TagNumber): Promise<TagAudit>;
}

/** Reads nothing yet. The reader stays its owner's. */
export function openAuditBook(deps: AuditBookDeps): AuditBook {
  return new LedgerAuditBook(deps);
}

class LedgerAuditBook implements AuditBook {
  readonly #deps: AuditBookDeps;
  readonly #follower: AccessFollower;
  readonly #rows = new AccessRows();
  readonly #kept = new Map<number, AccessPart>();
  /** Of the authority's own entries, those whose payloads were not read yet: new ones, and those that are damaged. */
  readonly #own: OwnRow[] = [];
  #room: number;
  /** Entries whose payloads are known to be damaged, which the log was told. */
  readonly #told = new Set<number>();
  /** Rows whose payloads were met once. */
  #met = 0;
  /** Settles when the last call that was begun is over. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: AuditBookDeps) {
    this.#deps = deps;
    this.#follower = new AccessFollower({ ...deps, ...(deps.own && { ownSource: deps.own.source }) });
    this.#room = deps.keepBytes ?? DEFAULT_KEEP_BYTES;
  }

  days(): LogDays | undefined {
    return this.#follower.days;
  }

  catchUp(signal?: AbortSignal): Promise<void> {
    return this.#inTurn(() => this.#readOn(signal));
  }

  looksAt(tag: TagNumber): Promise<TagAudit> {
    return this.#inTurn(async () => {
      await this.#readOn();
      const found = new LooksOfTag(tag);
      await this.#eachPart(0, (row, part) =>
        typeof part === 'string' ? found.takeUnread(row, part) : found.take(row, part),
      );
      return { note: this.#follower.note ?? '', ...found.found() };
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work); // whoever called before hears of its own failure
    this.#turn = turn;
    return turn;
  }

  /** New payloads are opened at once, while there is room to keep them: so nobody's question waits for all of them. */
  async #readOn(signal?: AbortSignal): Promise<void> {
    await this.#follower.readOn(this.#rows, this.#own, signal);
    if (this.#deps.own) await this.#readOwn(this.#deps.own, signal);
    if (this.#room > 0) await this.#eachPart(this.#met, () => {}, signal);
    this.#met = this.#rows.length;
  }

  /**
   * A payload that the ledger has lost is passed over: no wait would bring it back. One that it holds damaged may be put back, and may
   * be what revokes a gateway: it is tried again each time, and until it is read these words are not whole.
   */
  async #readOwn(own: LoggedWords, signal: AbortSignal | undefined): Promise<void> {
    let left = 0;
    while (left < this.#own.length) {
      signal?.throwIfAborted();
      const rows = this.#own.slice(left, left + PAYLOADS_AT_ONCE);
      const { payloads, damaged } = await undamagedPayloads(this.#deps.reader, rows.map(hashOf));
      this.#tell(OWN_DAMAGED, rows, damaged);
      rows.forEach(({ type, payloadSha256 }, k) => {
        const payload = payloads[k];
        if (payload === undefined || isPruned(payload)) return;
        if (equalBytes(sha256(payload), payloadSha256)) own.take(type, payload);
      });
      this.#own.splice(left, rows.length, ...damaged.flatMap((place) => rows[place] ?? []));
      left += damaged.length;
      await breathe();
    }
    if (left === 0) own.noteWhole();
  }

  async #eachPart(
    from: number,
    take: (row: AccessRow, part: AccessPart | UnreadReason) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    for (let first = from; first < this.#rows.length; first += PAYLOADS_AT_ONCE) {
      signal?.throwIfAborted();
      const count = Math.min(PAYLOADS_AT_ONCE, this.#rows.length - first);
      const places = Array.from({ length: count }, (_, k) => first + k);
      const opened = await this.#open(places.filter((place) => !this.#kept.has(place)));
      for (const place of places)
        take(this.#rows.at(place), this.#kept.get(place) ?? opened.get(place) ?? 'missing');
      await breathe();
    }
  }

  async #open(places: readonly number[]): Promise<ReadonlyMap<number, AccessPart | UnreadReason>> {
    const opened = new Map<number, AccessPart | UnreadReason>();
    if (places.length === 0) return opened;
    const rows = places.map((place) => this.#rows.at(place));
    const { payloads, damaged } = await undamagedPayloads(this.#deps.reader, rows.map(hashOf));
    this.#tell(LOOKS_DAMAGED, rows, damaged);
    places.forEach((place, k) => {
      const part = this.#openOne(payloads[k], rows[k]?.payloadSha256 ?? new Uint8Array());
      opened.set(place, part);
      if (typeof part !== 'string') this.#keep(place, part);
    });
    return opened;
  }

  #openOne(payload: FoundPayload, hash: Uint8Array): AccessPart | UnreadReason {
    if (payload === undefined) return 'missing';
    if (isPruned(payload)) return 'pruned';
    if (!equalBytes(sha256(payload), hash)) return 'missing'; // another's bytes are not the ones that were logged
    try {
      return openAccessPart(payload, this.#deps.auditSecretKey);
    } catch (error) {
      if (error instanceof FirebreakError) return 'unreadable';
      throw error;
    }
  }

  /** Each once, however often it is met. */
  #tell(what: string, rows: readonly { readonly index: number }[], damaged: readonly number[]): void {
    const indexes = damaged.flatMap((place) => rows[place]?.index ?? []);
    const unsaid = indexes.filter((index) => !this.#told.has(index));
    if (unsaid.length === 0) return;
    for (const index of unsaid) this.#told.add(index);
    this.#deps.log?.error(`${what}: stop the ledger, and look with firebreak ledger fsck --data-dir DIR`, {
      count: unsaid.length,
      firstEntry: unsaid[0],
    });
  }

  #keep(place: number, part: AccessPart): void {
    const bytes = PART_BYTES + part.tags.byteLength;
    if (bytes > this.#room) return;
    this.#room -= bytes;
    this.#kept.set(place, part);
  }
}
