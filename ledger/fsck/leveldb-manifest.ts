/**
 * LevelDB's manifest (impl.md, version_edit.cc): a log of edits, each a change to the set of table files.
 *
 *     edit    { tag varint | fields } …
 *             1 comparator name | 2 log number | 3 next file number | 4 last sequence number | 9 number of an older log
 *             5 level, internal key: where compaction goes on
 *             6 level, number: a table that is gone
 *             7 level, number, size, smallest internal key, largest internal key: a new table
 */
import { FirebreakError } from '../../protocol/errors.js';
import { decodeInternalKey, LevelBytes, type InternalKey } from './leveldb-bytes.js';

export const LEVELS = 7;
const COMPARATOR = 'leveldb.BytewiseComparator';

export interface TableFile {
  readonly level: number;
  readonly number: number;
  /** In bytes. */
  readonly size: number;
  readonly smallest: InternalKey;
  readonly largest: InternalKey;
}

/** What the store consists of after all edits. */
export interface StoreVersion {
  /** Older logs are in tables already. */
  readonly logNumber: number;
  readonly nextFile: number;
  readonly lastSequence: number;
  readonly tables: readonly TableFile[];
}

const malformed = (what: string): FirebreakError => new FirebreakError('format', what);

function readLevel(bytes: LevelBytes): number {
  const level = bytes.varint();
  if (level < LEVELS) return level;
  throw malformed(`it names level ${level}, and there are ${LEVELS}`);
}

class Edits {
  readonly tables = new Map<number, TableFile>();
  #comparator: string | undefined;
  #logNumber: number | undefined;
  #nextFile: number | undefined;
  #lastSequence: number | undefined;

  /** Throws `format`. */
  apply(edit: Uint8Array): void {
    const bytes = new LevelBytes(edit);
    const added: TableFile[] = [];
    // Deletions of an edit come before its additions, and one may move a table to another level.
    while (!bytes.isAtEnd) this.#applyField(bytes.varint(), bytes, added);
    for (const table of added) {
      if (this.tables.has(table.number)) throw malformed(`it adds table ${table.number} twice`);
      this.tables.set(table.number, table);
    }
  }

  version(): StoreVersion {
    const tables = [...this.tables.values()];
    if (this.#comparator !== COMPARATOR) throw malformed('it does not name the order of keys that it must');
    if (this.#logNumber === undefined || this.#nextFile === undefined || this.#lastSequence === undefined)
      throw malformed('it does not say which log, file and sequence number come next');
    return { logNumber: this.#logNumber, nextFile: this.#nextFile, lastSequence: this.#lastSequence, tables };
  }

  #applyField(tag: number, bytes: LevelBytes, added: TableFile[]): void {
    if (tag === 1) this.#comparator = Buffer.from(bytes.slice()).toString('latin1');
    else if (tag === 2) this.#logNumber = bytes.varint();
    else if (tag === 3) this.#nextFile = bytes.varint();
    else if (tag === 4) this.#lastSequence = bytes.varint();
    else if (tag === 5) void (readLevel(bytes), decodeInternalKey(bytes.slice()));
    else if (tag === 6) this.#delete(readLevel(bytes), bytes.varint());
    else if (tag === 7) added.push(readTable(bytes));
    else if (tag === 9) bytes.varint();
    else throw malformed(`it has a field ${tag} that is not known`);
  }

  #delete(level: number, number: number): void {
    if (this.tables.get(number)?.level !== level)
      throw malformed(`it takes table ${number} from level ${level}, where it is not`);
    this.tables.delete(number);
  }
}

function readTable(bytes: LevelBytes): TableFile {
  return {
    level: readLevel(bytes),
    number: bytes.varint(),
    size: bytes.varint(),
    smallest: decodeInternalKey(bytes.slice()),
    largest: decodeInternalKey(bytes.slice()),
  };
}

/** The store after all edits of a manifest. Throws `format` with what is wrong. */
export function versionOf(edits: readonly Uint8Array[]): StoreVersion {
  const all = new Edits();
  for (const edit of edits) all.apply(edit);
  return all.version();
}
