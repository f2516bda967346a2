/**
 * The reports of one day: those that came since it was sealed, and what was sealed of it, each time into files
 * of their own.
 */
import { FirebreakError } from '../../protocol/errors.js';
import type { ColdPath, KeptParts, PartChange } from '../contacts/kept-parts.js';
import { AT, LiveReports } from './live-reports.js';
import type { BucketedFile } from './write-bucketed.js';
import { sealReports, SealedReports } from './sealed-reports.js';
import type { FileHead, SealedFiles } from './sealed-reports.js';

/** Names of parts: `reports/DAY`, and of what is sealed `reports/DAY/N/standing` and `…/seen`. */
const PART = 'reports/';
const FILES = ['standing', 'seen'] as const;
type SealedFile = (typeof FILES)[number];

export class ReportDay {
  readonly #number: number;
  #live = new LiveReports();
  readonly #sealed: SealedReports[] = [];
  /** What {@link sealing} made and is not saved yet. */
  #sealing: SealedFiles | undefined;

  constructor(number: number) {
    this.#number = number;
  }

  get live(): LiveReports {
    return this.#live;
  }

  /** Reports, each once. */
  get standing(): number {
    return this.#sealed.reduce((sum, { standing }) => sum + standing, this.#live.standing);
  }

  /** As {@link LiveReports.count}. */
  get count(): number {
    return this.#sealed.reduce((sum, { count }) => sum + count, this.#live.count);
  }

  /** The row that stands with tag and seq of this one. Throws as {@link SealedReports.standingLike}. */
  standingLike(row: Uint32Array): Uint32Array | undefined {
    let found = this.#live.standingLike(row);
    for (const sealed of this.#sealed) found ??= sealed.standingLike(row);
    return found;
  }

  /** Whether there is one of this name. Throws the same. */
  has(name: Uint32Array): boolean {
    if (this.#live.has(name)) return true;
    for (const sealed of this.#sealed) if (sealed.has(name)) return true;
    return false;
  }

  /** One that stands; or one that was sent again, unless it is known. */
  add(row: Uint32Array, name: Uint32Array): void {
    if (row[AT.stands] === 1 || !this.has(name)) this.#live.push(row);
  }

  /** What came since it was saved. */
  growth(): PartChange[] {
    const bytes = this.#live.fresh();
    return bytes.length === 0 ? [] : [{ kind: 'append', name: PART + this.#number, bytes }];
  }

  /** All that is live, into files that do not change. */
  async sealing(): Promise<PartChange[]> {
    const files = (this.#sealing = await sealReports(this.#live));
    const gone = this.#livePart().map((name) => ({ kind: 'remove', name }) as const);
    const cold = FILES.map((file) => ({ kind: 'cold', name: this.#nextPart(file), ...files[file] }) as const);
    return [...gone, ...cold];
  }

  saved(coldPath: ColdPath | undefined): void {
    if (this.#sealing === undefined) return this.#live.saved();
    const { standing, seen } = this.#sealing;
    const heads = { standing: headOf(standing), seen: headOf(seen) };
    this.#open((file) => heads[file], coldPath);
    this.#sealing = undefined;
    this.#live = new LiveReports();
  }

  /** Names of all parts that are saved of it. */
  partNames(): string[] {
    const sealed = this.#sealed.flatMap((_, k) => FILES.map((file) => this.#partOf(k, file)));
    return [...this.#livePart(), ...sealed];
  }

  /** Days that there are parts of. */
  static numbersIn(parts: KeptParts): Iterable<number> {
    const names = [...parts.keys()].filter((name) => name.startsWith(PART));
    return new Set(names.map((name) => Number(name.slice(PART.length).split('/')[0])));
  }

  /** What was saved, into a day that is empty. Throws `format` and `damaged`. */
  restore(parts: KeptParts, coldPath: ColdPath | undefined): void {
    const live = parts.get(PART + this.#number);
    if (live) this.#live.restore(live, `reports of day ${this.#number}`);
    const headOf = (file: SealedFile): Uint8Array | undefined => parts.get(this.#nextPart(file));
    while (headOf('standing')) this.#open(headOf, coldPath);
  }

  /** The next two files of what is sealed. */
  #open(headOf: (file: SealedFile) => Uint8Array | undefined, coldPath: ColdPath | undefined): void {
    const fileOf = (file: SealedFile): FileHead => {
      const [path, head] = [coldPath?.(this.#nextPart(file)), headOf(file)];
      if (path !== undefined && head !== undefined) return { path, head };
      throw new FirebreakError('damaged', `sealed reports of day ${this.#number} are gone`);
    };
    this.#sealed.push(new SealedReports(fileOf('standing'), fileOf('seen')));
  }

  #livePart(): string[] {
    return this.#live.isKept ? [PART + this.#number] : [];
  }

  #nextPart(file: SealedFile): string {
    return this.#partOf(this.#sealed.length, file);
  }

  #partOf(k: number, file: SealedFile): string {
    return `${PART}${this.#number}/${k}/${file}`;
  }
}

const headOf = ({ bytes, headBytes }: BucketedFile): Uint8Array => bytes.subarray(0, headBytes);
