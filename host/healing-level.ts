/**
 * A level folder that is safe to go on with after a failed write. When the disk fills up, nobody knows what of the write
 * reached the log file: level would append behind a torn record, which costs whatever follows it at the next opening, and
 * after a failed sync it writes nothing any more. So the folder is closed and opened again before anything else is done
 * in it, and no write begins before the one before it has ended: those that come meanwhile are one write, with one sync.
 */
import type { Level } from 'level';

export type Change<K> =
  | { readonly type: 'put'; readonly key: K; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: K };

/** Keys from `gte` on and before `lt`. */
export interface KeyRange<K> {
  readonly gte: K;
  readonly lt: K;
}

interface Group<K> {
  readonly changes: Change<K>[];
  isSynced: boolean;
}

/** Rows read at once. */
const ROWS_AT_ONCE = 256;

export class HealingLevel<K> {
  readonly #db: Level<K, Uint8Array>;
  readonly #running = new Set<Promise<unknown>>();
  #isSuspect = false;
  #isClosed = false;
  #healing: Promise<void> | undefined;
  /** What is written next, once the write under way has ended. */
  #next: { readonly group: Group<K>; readonly written: Promise<void> } | undefined;
  #lastWrite: Promise<void> = Promise.resolve();

  /** Takes over an open database. */
  constructor(db: Level<K, Uint8Array>) {
    this.#db = db;
  }

  /**
   * All of the changes or none; they survive a crash when `sync`. Throws what level throws: then they are there or not,
   * all of them, for whoever reads after.
   */
  write(changes: readonly Change<K>[], sync = true): Promise<void> {
    const { group, written } = (this.#next ??= this.#gather());
    for (const change of changes) group.changes.push(change);
    group.isSynced ||= sync;
    return written;
  }

  /** Something that reads; it must end by itself, since a failed write is healed only then. Throws what level throws. */
  async read<T>(work: (db: Level<K, Uint8Array>) => Promise<T>): Promise<T> {
    if (this.#isSuspect && !this.#isClosed)
      await (this.#healing ??= this.#heal().finally(() => (this.#healing = undefined)));
    const running = work(this.#db);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** In the order of keys; of what is written meanwhile, some may be among them. Holds nothing up between two rows. */
  async *rows(range: KeyRange<K>): AsyncGenerator<readonly [K, Uint8Array]> {
    let rest: { readonly gt: K; readonly lt: K } | KeyRange<K> = range;
    for (;;) {
      const options = { ...rest, limit: ROWS_AT_ONCE };
      const found: [K, Uint8Array][] = await this.read((db) => db.iterator(options).all());
      yield* found;
      const last = found.at(-1);
      if (last === undefined || found.length < ROWS_AT_ONCE) return;
      rest = { gt: last[0], lt: range.lt };
    }
  }

  /** When everything under way has ended. */
  async close(): Promise<void> {
    await this.#lastWrite;
    this.#isClosed = true;
    await this.#healing?.catch(() => undefined);
    await Promise.allSettled(this.#running);
    await this.#db.close();
  }

  #gather(): { readonly group: Group<K>; readonly written: Promise<void> } {
    const group: Group<K> = { changes: [], isSynced: false };
    const written = this.#lastWrite.then(() => {
      this.#next = undefined;
      return this.#put(group);
    });
    this.#lastWrite = written.catch(() => undefined);
    return { group, written };
  }

  async #put({ changes, isSynced }: Group<K>): Promise<void> {
    await this.read((db) =>
      db.batch(changes, { sync: isSynced }).catch((error: unknown) => {
        this.#isSuspect = true;
        throw error;
      }),
    );
  }

  async #heal(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.#db.close();
    await this.#db.open();
    this.#isSuspect = false;
  }
}
