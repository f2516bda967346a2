/**
 * hypercore's append, made as durable as the ledger's: it writes its RocksDB log without a sync, so the log file that it
 * wrote is synced after each append, before the next begins.
 */
import { closeSync, fdatasync, fstatSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Hypercore from 'hypercore';
import type { Appender } from './append-run.js';

const sync = promisify(fdatasync);

const lengthOf = (payloads: readonly Uint8Array[]): number =>
  payloads.reduce((sum, { length }) => sum + length, 0);

/**
 * The log file that RocksDB writes. It begins another one now and then, before a write, and each write is in one file
 * whole: so a file that grew by as much as was appended holds it. That takes one fstat an append, and the folder is only
 * read where another file was begun.
 */
class WrittenLog {
  readonly #folder: string;
  #fd = -1;
  #size = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Resolves when the write of `bytes` that ended last is on the disk. Throws when it is not in the newest file. */
  async sync(bytes: number): Promise<void> {
    if (!this.#hasGrown(bytes)) {
      this.#openNewest();
      if (!this.#hasGrown(bytes)) throw new Error(`the newest log file in ${this.#folder} lacks an append`);
    }
    await sync(this.#fd);
  }

  close(): void {
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = -1;
  }

  #hasGrown(bytes: number): boolean {
    if (this.#fd === -1) return false;
    const before = this.#size;
    this.#size = fstatSync(this.#fd).size;
    return this.#size >= before + bytes;
  }

  #openNewest(): void {
    const newest = readdirSync(this.#folder)
      .filter((file) => /^\d+\.log$/.test(file))
      .sort()
      .at(-1);
    if (newest === undefined) throw new Error(`no log file in ${this.#folder}`);
    this.close();
    this.#fd = openSync(join(this.#folder, newest), 'r+');
    this.#size = 0;
  }
}

export async function openHypercore(dir: string): Promise<Appender> {
  const core = new Hypercore(dir);
  await core.ready();
  const log = new WrittenLog(join(dir, 'db'));
  return {
    append: async (payloads) => {
      await core.append(payloads);
      await log.sync(lengthOf(payloads));
    },
    length: () => core.length,
    read: (index) => core.get(index),
    close: async () => {
      log.close();
      await core.close();
    },
  };
}
