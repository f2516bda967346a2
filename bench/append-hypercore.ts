/**
 * hypercore's append, made as durable as the ledger's: it writes its RocksDB log without a sync, so the newest log file
 * is synced after each append, before the next begins.
 */
import { fdatasync, openSync, closeSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Hypercore from 'hypercore';
import type { Appender } from './append-run.js';

const sync = promisify(fdatasync);

/** RocksDB begins another log file when it flushes; looking for it is left out of the peer's time between flushes. */
const LOOK_EVERY = 64;

export async function openHypercore(dir: string): Promise<Appender> {
  const core = new Hypercore(dir);
  await core.ready();
  const folder = join(dir, 'db');
  let name = '';
  let fd = -1;
  let appended = 0;
  const newestLog = (): number => {
    const newest = readdirSync(folder)
      .filter((file) => /^\d+\.log$/.test(file))
      .sort()
      .at(-1);
    if (newest === undefined) throw new Error(`no log file in ${folder}`);
    if (newest === name) return fd;
    if (fd !== -1) closeSync(fd);
    name = newest;
    return openSync(join(folder, newest), 'r+');
  };
  return {
    append: async (payloads) => {
      await core.append(payloads);
      if (appended++ % LOOK_EVERY === 0) fd = newestLog();
      await sync(fd);
    },
    length: () => core.length,
    close: async () => {
      if (fd !== -1) closeSync(fd);
      await core.close();
    },
  };
}
