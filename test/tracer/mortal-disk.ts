/** The real disk, until the process that writes to it is killed: every call fails from then on, and its files are let go of. */
import { NODE_STORE_DISK } from '../../tracer/contacts/store-disk.js';
import type { StoreDisk } from '../../tracer/contacts/store-disk.js';

interface MortalDisk {
  readonly disk: StoreDisk;
  /** Resolves once nothing is under way any more. */
  readonly kill: () => Promise<void>;
}

export function mortalDisk(): MortalDisk {
  const real = NODE_STORE_DISK;
  const files = new Set<number>();
  const underWay = new Set<Promise<unknown>>();
  let isDead = false;
  const alive =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    (...args: A): Promise<T> => {
      if (isDead) return Promise.reject(new Error('killed'));
      const calling = call(...args).finally(() => underWay.delete(calling));
      underWay.add(calling);
      return calling;
    };
  const open = async (path: string, flags: 'r' | 'w' | 'r+'): Promise<number> => {
    const file = await real.open(path, flags);
    files.add(file);
    return file;
  };
  const close = async (file: number): Promise<void> => {
    if (files.delete(file)) await real.close(file);
  };
  const disk: StoreDisk = {
    open: alive(open),
    close, // what a dead process had open is closed already
    size: alive((file) => real.size(file)),
    read: alive((file, bytes, position) => real.read(file, bytes, position)),
    write: alive((file, bytes, position) => real.write(file, bytes, position)),
    sync: alive((file) => real.sync(file)),
    syncFolder: alive((path) => real.syncFolder(path)),
    makeFolder: alive((path) => real.makeFolder(path)),
    rename: alive((from, to) => real.rename(from, to)),
    remove: alive((path) => real.remove(path)),
    list: alive((path) => real.list(path)),
  };
  const kill = async (): Promise<void> => {
    isDead = true;
    await Promise.allSettled(underWay);
    await Promise.all([...files].map(close));
  };
  return { disk, kill };
}
