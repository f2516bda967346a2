/**
 * The reports of a day that is over, in two files (bucketed-format.ts): those that stand by tag and seq, and
 * the names of all. In memory they are their filters, four bytes a report.
 */
import { Turns } from '../turns.js';
import { bucketRows, ROWS_A_LOOK } from './write-bucketed.js';
import type { BucketedFile } from './write-bucketed.js';
import { BucketedRows } from './bucketed-rows.js';
import { AT, NAME_WORDS } from './live-reports.js';
import type { LiveReports } from './live-reports.js';

/** As a row of live reports begins. */
const STANDING = { rowWords: AT.report, keyWords: AT.stands };
const SEEN = { rowWords: NAME_WORDS, keyWords: NAME_WORDS };

/** Those who answer on the same thread do not notice so short a turn. */
const TURN_MS = 1;

export interface SealedFiles {
  readonly standing: BucketedFile;
  readonly seen: BucketedFile;
}

/** Others have their turns meanwhile; nothing is to be added. */
export async function sealReports(live: LiveReports): Promise<SealedFiles> {
  const turns = new Turns(undefined, TURN_MS);
  const standing = await standingIn(live, turns);
  const prefix = (k: number): Uint32Array => live.row(standing[k]!).subarray(0, STANDING.rowWords);
  const name = new Uint32Array(NAME_WORDS);
  return {
    standing: await bucketRows({ ...STANDING, count: standing.length, row: prefix }, turns),
    seen: await bucketRows({ ...SEEN, count: live.count, row: (k) => nameOf(live.row(k), name) }, turns),
  };
}

async function standingIn(live: LiveReports, turns: Turns): Promise<Uint32Array> {
  const standing = new Uint32Array(live.standing);
  for (let at = 0, k = 0; at < live.count; at++) {
    if (live.row(at)[AT.stands] === 1) standing[k++] = at;
    if (at % ROWS_A_LOOK === 0 && turns.isOver) await turns.next();
  }
  return standing;
}

/** Where a file is, and its head. */
export interface FileHead {
  readonly path: string;
  readonly head: Uint8Array;
}

export class SealedReports {
  readonly #standing: BucketedRows;
  readonly #seen: BucketedRows;

  /** Throws `damaged` for heads of other files. */
  constructor(standing: FileHead, seen: FileHead) {
    this.#standing = new BucketedRows(standing.path, standing.head, STANDING);
    this.#seen = new BucketedRows(seen.path, seen.head, SEEN);
  }

  /** As {@link LiveReports.count}. */
  get count(): number {
    return this.#seen.count;
  }

  /** The reports, each once. */
  get standing(): number {
    return this.#standing.count;
  }

  /**
   * The one that stands with tag and seq of this row: a row up to where its own hash would be. Throws
   * `damaged`, and what the disk says.
   */
  standingLike(wanted: Uint32Array): Uint32Array | undefined {
    return this.#standing.find(wanted);
  }

  /** Whether there is one of this name. Throws the same. */
  has(name: Uint32Array): boolean {
    return this.#seen.find(name) !== undefined;
  }
}

/** The name of a row of live reports. */
export function nameOf(row: Uint32Array, into: Uint32Array): Uint32Array {
  for (let k = 0; k < NAME_WORDS; k++) into[k] = row[k < AT.seq ? k : AT.report - AT.seq + k]!;
  return into;
}
