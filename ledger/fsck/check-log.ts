/**
 * The log itself: every entry, the chain, every byte of every tile, the roots that were signed for. Where entries and
 * hashes disagree, it goes on with what was logged, so that one altered byte is one finding.
 */
import type { UnixMs } from '../../protocol/brands.js';
import { HASH_LENGTH, leafHash } from '../../protocol/tlog/merkle.js';
import { CompactRange } from '../../protocol/tlog/compact-range.js';
import { decodeEntry, ENTRY_TYPE, NO_PREVIOUS_LEAF, type LedgerEntry } from '../../protocol/tlog/entry.js';
import { equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { TileEdge, type TileBytes } from '../../protocol/tlog/tile-edge.js';
import { tilePath, TILE_WIDTH } from '../../protocol/tlog/tile.js';
import { judgeLeaves, type Verdict } from '../verify/judge-leaves.js';
import type { SegmentEntry } from '../store/store-segments.js';
import type { EntryColumns } from './entry-columns.js';
import { entriesInOrder } from './entry-stream.js';
import type { Findings } from './findings.js';
import type { Step } from './pace.js';
import type { RootBook } from './root-book.js';
import type { RowView } from './row-view.js';
import { TileRows } from './tile-rows.js';

export interface LogCheckInput {
  readonly rows: RowView;
  readonly findings: Findings;
  /** Filled here. */
  readonly columns: EntryColumns;
  readonly roots: RootBook;
  /** How many entries the log has. */
  readonly size: number;
  /** Hash of the last entry as the state row has it; `undefined` when it has none. */
  readonly previousLeaf: Uint8Array | undefined;
  /** Called after each bundle. */
  readonly pace: Step;
}

export interface LogSummary {
  /** Root of all entries; `undefined` when hashes are missing. */
  readonly root: Uint8Array | undefined;
  readonly lastLeaf: Uint8Array | undefined;
  readonly lastAppendedMs: number;
  /** Of those that are as they were logged. */
  readonly entriesByType: ReadonlyMap<number, number>;
  /** Every entry is there and as it was logged. */
  readonly complete: boolean;
  /** Entries of types 3 and 4, in order: what their payloads say is checked too. */
  readonly gatewayEntries: readonly number[];
  readonly dayKeyEntries: readonly number[];
  /** Entries of type 10, in order, and when each was appended. */
  readonly pruningEntries: ReadonlyMap<number, UnixMs>;
}

interface Read extends SegmentEntry {
  readonly leaf: Uint8Array;
  readonly decoded: LedgerEntry | undefined;
}

function read(stored: SegmentEntry | undefined): Read | undefined {
  if (stored === undefined) return undefined;
  const leaf = leafHash(stored.entry);
  try {
    return { ...stored, leaf, decoded: decodeEntry(stored.entry) };
  } catch (error) {
    if (error instanceof FirebreakError) return { ...stored, leaf, decoded: undefined };
    throw error;
  }
}

class LogCheck {
  readonly #input: LogCheckInput;
  readonly #tiles: TileRows;
  readonly #edge = new TileEdge(new CompactRange(), []);
  readonly #entriesByType = new Map<number, number>();
  readonly #gatewayEntries: number[] = [];
  readonly #dayKeyEntries: number[] = [];
  readonly #pruningEntries = new Map<number, UnixMs>();
  /** Hash of the entry before; `undefined` when it is not known. */
  #lastLeaf: Uint8Array | undefined = NO_PREVIOUS_LEAF;
  #lastAppendedMs = 0;
  #bad = 0;
  /** False once a leaf is not known: no hash above it is, either. */
  #hashing = true;
  #missingFrom: number | undefined;

  constructor(input: LogCheckInput) {
    this.#input = input;
    this.#tiles = new TileRows(input.rows, input.findings);
    this.#keepRoot();
  }

  /** `after`: the entry behind the bundle; `undefined` at the end. */
  addBundle(
    first: number,
    entries: readonly (Read | undefined)[],
    after: Read | undefined,
    isLast: boolean,
  ): void {
    const tile = this.#takeLeafTile(first, entries.length);
    const evidence = entries.map((entry, i) => ({
      leaf: entry?.leaf,
      previousLeaf: entry?.decoded?.previousLeaf,
      tileHash: tile?.subarray(i * HASH_LENGTH, (i + 1) * HASH_LENGTH),
    }));
    const named = isLast ? this.#input.previousLeaf : after?.decoded?.previousLeaf;
    judgeLeaves(evidence, named).forEach((verdict, i) => this.#addEntry(first + i, entries[i], verdict));
    if (this.#hashing) this.#compareTiles(this.#edge.takeFull());
  }

  finish(): LogSummary {
    this.#endMissing(this.#input.size);
    if (this.#hashing) this.#compareTiles(this.#edge.partial());
    this.#tiles.finish(this.#hashing);
    return {
      root: this.#hashing ? this.#edge.root() : undefined,
      lastLeaf: this.#lastLeaf,
      lastAppendedMs: this.#lastAppendedMs,
      entriesByType: this.#entriesByType,
      complete: this.#bad === 0,
      gatewayEntries: this.#gatewayEntries,
      dayKeyEntries: this.#dayKeyEntries,
      pruningEntries: this.#pruningEntries,
    };
  }

  /** The tile of level 0, which is stored once it is full. */
  #takeLeafTile(first: number, width: number): Uint8Array | undefined {
    if (width < TILE_WIDTH) return undefined;
    const index = first / TILE_WIDTH;
    const tile = this.#tiles.take(0, index);
    if (tile?.length === TILE_WIDTH * HASH_LENGTH) return tile;
    const what = tile === undefined ? 'which is missing' : `which has ${tile.length} bytes`;
    this.#damage('tiles', `is covered by ${tilePath(0, index, width)}, ${what}`, first);
    return undefined;
  }

  #addEntry(index: number, stored: Read | undefined, { wrong, leaf }: Verdict): void {
    if (stored === undefined) this.#missingFrom ??= index;
    else this.#endMissing(index);
    const isGood = wrong === 'nothing' || wrong === 'tile';
    if (stored !== undefined) this.#report(index, stored, wrong);
    if (isGood && stored?.decoded !== undefined) this.#keep(index, stored.decoded, stored.retentionDay);
    else this.#bad += 1;
    this.#lastLeaf = leaf;
    if (leaf === undefined) this.#stopHashing(index);
    if (!this.#hashing || leaf === undefined) return;
    this.#edge.append(leaf);
    this.#keepRoot();
  }

  #report(index: number, { decoded }: Read, wrong: Verdict['wrong']): void {
    if (wrong === 'nothing' && decoded !== undefined) return;
    const path = tilePath(0, Math.floor(index / TILE_WIDTH), TILE_WIDTH);
    if (wrong === 'entry')
      this.#damage(
        'entries',
        decoded ? 'is not the one that was logged' : 'cannot be read as an entry',
        index,
      );
    else if (wrong === 'tile') this.#damage('tiles', `is not the one whose hash stands in ${path}`, index);
    else if (wrong === 'entry or tile')
      this.#damage('entries', `and its hash in ${path} do not belong together`, index);
    else this.#damage('entries', 'was logged, and cannot be read as an entry', index);
  }

  #keep(index: number, entry: LedgerEntry, retentionDay: number): void {
    const { previousLeaf, appendedAtMs, type } = entry;
    if (this.#lastLeaf !== undefined && !equalBytes(previousLeaf, this.#lastLeaf))
      this.#damage('entries', 'does not follow from the entry before it', index);
    if (appendedAtMs < this.#lastAppendedMs)
      this.#damage('entries', 'says it was appended before the entry before it was', index);
    this.#lastAppendedMs = Math.max(appendedAtMs, this.#lastAppendedMs);
    this.#entriesByType.set(type, (this.#entriesByType.get(type) ?? 0) + 1);
    if (type === ENTRY_TYPE.gateway) this.#gatewayEntries.push(index);
    if (type === ENTRY_TYPE.dayKey) this.#dayKeyEntries.push(index);
    if (type === ENTRY_TYPE.pruning) this.#pruningEntries.set(index, appendedAtMs);
    this.#input.columns.keep(index, entry, retentionDay);
  }

  #endMissing(index: number): void {
    const from = this.#missingFrom;
    this.#missingFrom = undefined;
    if (from === undefined) return;
    const what = index - from === 1 ? 'is missing' : `to ${index - 1} are missing`;
    this.#damage('entries', what, from);
  }

  #stopHashing(index: number): void {
    if (!this.#hashing) return;
    this.#hashing = false;
    this.#damage('roots', 'cannot be hashed, so roots and tiles above it are not checked', index);
  }

  #keepRoot(): void {
    const { roots } = this.#input;
    if (roots.isWanted(this.#edge.size)) roots.keep(this.#edge.size, this.#edge.root());
  }

  /** Those above level 0: its full tiles were compared with the entries already, its partial one is not stored. */
  #compareTiles(tiles: readonly TileBytes[]): void {
    for (const tile of tiles) if (tile.level > 0) this.#tiles.compare(tile);
  }

  #damage(area: 'entries' | 'tiles' | 'roots', what: string, index: number): void {
    this.#input.findings.damage(area, what, { index });
  }
}

/** Reads all entries once, with the tiles beside them. */
export async function checkLog(input: LogCheckInput): Promise<LogSummary> {
  const { rows, size, findings, pace } = input;
  const check = new LogCheck(input);
  let bundle: (Read | undefined)[] = [];
  let first = 0;
  for (const stored of entriesInOrder(rows, size, findings)) {
    const entry = read(stored);
    if (bundle.length === TILE_WIDTH) {
      check.addBundle(first, bundle, entry, false);
      first += TILE_WIDTH;
      bundle = [];
      await pace(first, size);
    }
    bundle.push(entry);
  }
  if (bundle.length > 0) check.addBundle(first, bundle, undefined, true);
  return check.finish();
}
