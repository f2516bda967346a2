/**
 * Checks the files of a LevelDB store and makes its rows readable, without opening the store: LevelDB itself
 * would repair what it finds, by dropping it. Every byte of every file in use is covered by a check but the
 * text logs `LOG` and `LOG.old`.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FirebreakError } from '../../protocol/errors.js';
import type { Findings } from './findings.js';
import { decodeWriteBatch } from './leveldb-batch.js';
import { scanLog, type LogRecord } from './leveldb-log.js';
import { versionOf, type StoreVersion, type TableFile } from './leveldb-manifest.js';
import { memorySource, type KeyRange, type RowSource, type StoredRow } from './leveldb-rows.js';
import { checkTable, tableRows, type CheckedTable } from './leveldb-table-file.js';
import type { Step } from './pace.js';

export interface LevelFolderOptions {
  /** The store's folder, and how its files are named in findings: `name` stands before them. */
  readonly dir: string;
  readonly name: string;
  readonly findings: Findings;
  /** Called before each table with the bytes that are done. */
  readonly pace: Step;
}

interface Listed {
  readonly manifests: ReadonlyMap<number, string>;
  readonly tables: ReadonlyMap<number, string>;
  readonly logs: ReadonlyMap<number, string>;
}

const OWN_NAMES: ReadonlySet<string> = new Set(['CURRENT', 'LOCK', 'LOG', 'LOG.old']);

function listFiles({ dir, name, findings }: LevelFolderOptions): Listed {
  const kinds = { manifests: new Map(), tables: new Map(), logs: new Map() } as const;
  for (const file of existsSync(dir) ? readdirSync(dir).sort() : []) {
    const [, manifest, number, ending] = /^(?:MANIFEST-(\d{6,})|(\d{6,})\.(log|ldb|dbtmp))$/.exec(file) ?? [];
    if (manifest !== undefined) kinds.manifests.set(Number(manifest), file);
    else if (ending === 'log') kinds.logs.set(Number(number), file);
    else if (ending === 'ldb') kinds.tables.set(Number(number), file);
    else if (ending === 'dbtmp')
      findings.note('leftover', 'was never put in its place', { file: name + file });
    else if (!OWN_NAMES.has(file))
      findings.damage('files', 'does not belong into a ledger’s store', { file: name + file });
  }
  return kinds;
}

class FolderCheck {
  readonly #options: LevelFolderOptions;
  readonly #files: Listed;

  constructor(options: LevelFolderOptions) {
    this.#options = options;
    this.#files = listFiles(options);
  }

  async run(): Promise<RowSource[] | undefined> {
    this.#checkLock();
    const manifest = this.#currentManifest();
    const version = manifest === undefined ? undefined : this.#readManifest(manifest);
    if (version === undefined) return undefined;
    this.#noteUnused(version, manifest);
    const checked = await this.#checkTables(version);
    return [memorySource(this.#readLogs(version)), ...this.#tableSources(checked)];
  }

  #path(file: string): string {
    return join(this.#options.dir, file);
  }

  #damage(what: string, file: string, offset?: number): void {
    const place = { file: this.#options.name + file, ...(offset !== undefined && { offset }) };
    this.#options.findings.damage('files', what, place);
  }

  #checkLock(): void {
    const path = this.#path('LOCK');
    if (existsSync(path) && statSync(path).size > 0) this.#damage('is not empty', 'LOCK');
  }

  #currentManifest(): string | undefined {
    if (!existsSync(this.#path('CURRENT'))) {
      this.#damage('is missing', 'CURRENT');
      return undefined;
    }
    const text = readFileSync(this.#path('CURRENT'), 'latin1');
    const [, file, number] = /^(MANIFEST-(\d{6,}))\n$/.exec(text) ?? [];
    if (file !== undefined && this.#files.manifests.get(Number(number)) === file) return file;
    this.#damage(
      file === undefined ? 'does not name a manifest' : `names ${file}, which is missing`,
      'CURRENT',
      0,
    );
    return undefined;
  }

  #readManifest(file: string): StoreVersion | undefined {
    const { records, faults, tornAt } = scanLog(readFileSync(this.#path(file)));
    for (const { what, offset } of faults) this.#damage(what, file, offset);
    if (faults.length > 0) return undefined;
    if (tornAt !== undefined)
      this.#options.findings.note('interrupted', 'ends in a write that was cut short', {
        file: this.#options.name + file,
        offset: tornAt,
      });
    try {
      return versionOf(records.map(({ data }) => data));
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
      this.#damage(`is not a manifest of LevelDB: ${error.message}`, file);
      return undefined;
    }
  }

  #noteUnused({ tables, logNumber }: StoreVersion, manifest: string | undefined): void {
    const { findings, name } = this.#options;
    const live = new Set(tables.map(({ number }) => number));
    const unused = [
      ...[...this.#files.tables].filter(([number]) => !live.has(number)),
      ...[...this.#files.logs].filter(([number]) => number < logNumber),
      ...[...this.#files.manifests].filter(([, file]) => file !== manifest),
    ];
    for (const [, file] of unused)
      findings.note('leftover', 'is not in use; LevelDB removes it when it starts', { file: name + file });
  }

  async #checkTables({ tables, nextFile }: StoreVersion): Promise<ReadonlyMap<TableFile, CheckedTable>> {
    const { pace } = this.#options;
    const checked = new Map<TableFile, CheckedTable>();
    const total = tables.reduce((sum, { size }) => sum + size, 0);
    let done = 0;
    for (const table of tables) {
      await pace(done, total);
      const file = this.#files.tables.get(table.number);
      if (file === undefined) this.#damage('is missing', nameOfTable(table.number));
      else if (table.number >= nextFile) this.#damage('has a number that was not given out yet', file);
      else checked.set(table, this.#checkTable(file, table));
      done += table.size;
    }
    return checked;
  }

  #checkTable(file: string, table: TableFile): CheckedTable {
    const checked = checkTable(this.#path(file), table);
    for (const { what, offset } of checked.faults) this.#damage(what, file, offset);
    return checked;
  }

  /** Tables of level 0 overlap; those of each other level follow one another. */
  #tableSources(checked: ReadonlyMap<TableFile, CheckedTable>): RowSource[] {
    const usable = [...checked].filter(([, { unreadable }]) => !unreadable);
    const levels = new Map<number, (readonly [TableFile, CheckedTable])[]>();
    const sources: RowSource[] = [];
    for (const one of usable) {
      const [{ level }] = one;
      if (level === 0) sources.push(this.#sourceOf([one]));
      else levels.set(level, [...(levels.get(level) ?? []), one]);
    }
    for (const tables of levels.values())
      sources.push(
        this.#sourceOf(tables.sort(([a], [b]) => Buffer.compare(a.smallest.userKey, b.smallest.userKey))),
      );
    return sources;
  }

  #sourceOf(tables: readonly (readonly [TableFile, CheckedTable])[]): RowSource {
    const pathOf = ({ number }: TableFile): string => this.#path(this.#files.tables.get(number) ?? '');
    return {
      *rows(range: KeyRange) {
        for (const [table, checked] of tables)
          if (reaches(table, range)) yield* tableRows(pathOf(table), checked, range);
      },
    };
  }

  #readLogs({ logNumber, lastSequence }: StoreVersion): StoredRow[] {
    const live = [...this.#files.logs].filter(([number]) => number >= logNumber).sort(([a], [b]) => a - b);
    if (live.length === 0 && logNumber > 0) this.#damage('is missing', nameOfLog(logNumber));
    const rows: StoredRow[] = [];
    // The first log may begin before the last change that is in a table.
    let expected: Expected = { atMost: lastSequence + 1 };
    for (const [, file] of live) {
      const scanned = scanLog(readFileSync(this.#path(file)));
      for (const { what, offset } of scanned.faults) this.#damage(what, file, offset);
      if (scanned.tornAt !== undefined)
        this.#options.findings.note('interrupted', 'ends in a write that was cut short', {
          file: this.#options.name + file,
          offset: scanned.tornAt,
        });
      const isWhole = scanned.faults.length === 0;
      expected = this.#addRecords(scanned.records, file, isWhole ? expected : undefined, rows);
      if (!isWhole || scanned.tornAt !== undefined) expected = undefined;
    }
    return rows;
  }

  /** The sequence number that comes next. What is missing between records that are whole was lost. */
  #addRecords(records: readonly LogRecord[], file: string, first: Expected, rows: StoredRow[]): Expected {
    let expected = first;
    for (const { data, offset } of records) {
      try {
        const batch = decodeWriteBatch(data);
        if (!follows(batch.sequence, expected))
          this.#damage('changes are missing before this one', file, offset);
        rows.push(...batch.rows);
        expected &&= { atMost: batch.sequence + batch.rows.length, exactly: true };
      } catch (error) {
        if (!(error instanceof FirebreakError)) throw error;
        this.#damage(`holds a record that is none of LevelDB: ${error.message}`, file, offset);
      }
    }
    return expected;
  }
}

/** The sequence number of the change that comes next; `undefined` when something before it was lost. */
type Expected = { readonly atMost: number; readonly exactly?: boolean } | undefined;

function follows(sequence: number, expected: Expected): boolean {
  if (expected === undefined) return true;
  return expected.exactly === true ? sequence === expected.atMost : sequence <= expected.atMost;
}

const nameOfTable = (number: number): string => `${String(number).padStart(6, '0')}.ldb`;
const nameOfLog = (number: number): string => `${String(number).padStart(6, '0')}.log`;

function reaches({ smallest, largest }: TableFile, { gte, lt }: KeyRange): boolean {
  const before = lt !== undefined && Buffer.compare(smallest.userKey, lt) >= 0;
  return !before && Buffer.compare(largest.userKey, gte) >= 0;
}

/**
 * Checks all files of the store in `dir` and adds what is wrong to the findings. Resolves with its rows,
 * without those that cannot be read; `undefined` when what the store consists of cannot be told.
 */
export function checkLevelFolder(options: LevelFolderOptions): Promise<RowSource[] | undefined> {
  return new FolderCheck(options).run();
}
