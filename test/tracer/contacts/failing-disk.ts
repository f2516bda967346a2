/**
 * The real disk up to one call that fails, before it took effect or after; a write may also stop half way. From then on every
 * call fails, as when the process ends there.
 */
import { closeSync } from 'node:fs';
import { NODE_STORE_DISK } from '../../../tracer/contacts/store-disk.js';
import type { StoreDisk } from '../../../tracer/contacts/store-disk.js';

const WAYS = ['not done', 'done', 'half done'] as const;

export interface Fault {
  /** Number of the call that fails, from 0. */
  readonly call: number;
  readonly way: (typeof WAYS)[number];
  /** `false`: later calls are well. */
  readonly isLast: boolean;
}

/** Every way in which each of these calls can fail. */
export const faultsOf = (calls: readonly string[], isLast: boolean): Fault[] =>
  calls.flatMap((name, call) =>
    WAYS.filter((way) => way !== 'half done' || name === 'write').map((way) => ({ call, way, isLast })),
  );

export class FailingDisk implements StoreDisk {
  readonly calls: string[] = [];
  readonly #fault: Fault | undefined;
  readonly #open = new Set<number>();

  constructor(fault?: Fault) {
    this.#fault = fault;
  }

  /** Lets go of the files that were left open, as the end of a process does. */
  end(): void {
    for (const fd of this.#open) closeSync(fd);
    this.#open.clear();
  }

  async open(path: string, flags: 'r' | 'w' | 'r+'): Promise<number> {
    return this.#at('open', async () => {
      const fd = await NODE_STORE_DISK.open(path, flags);
      this.#open.add(fd);
      return fd;
    });
  }

  close(fd: number): Promise<void> {
    return this.#at('close', async () => {
      this.#open.delete(fd);
      await NODE_STORE_DISK.close(fd);
    });
  }

  size = (fd: number): Promise<number> => this.#at('size', () => NODE_STORE_DISK.size(fd));
  read = (fd: number, bytes: Uint8Array, at: number): Promise<number> =>
    this.#at('read', () => NODE_STORE_DISK.read(fd, bytes, at));
  write = (fd: number, bytes: Uint8Array, at: number): Promise<void> =>
    this.#at(
      'write',
      () => NODE_STORE_DISK.write(fd, bytes, at),
      () => NODE_STORE_DISK.write(fd, bytes.subarray(0, bytes.length >> 1), at),
    );
  sync = (fd: number): Promise<void> => this.#at('sync', () => NODE_STORE_DISK.sync(fd));
  syncFolder = (path: string): Promise<void> =>
    this.#at('syncFolder', () => NODE_STORE_DISK.syncFolder(path));
  makeFolder = (path: string): Promise<void> =>
    this.#at('makeFolder', () => NODE_STORE_DISK.makeFolder(path));
  rename = (from: string, to: string): Promise<void> =>
    this.#at('rename', () => NODE_STORE_DISK.rename(from, to));
  remove = (path: string): Promise<void> => this.#at('remove', () => NODE_STORE_DISK.remove(path));
  list = (path: string): Promise<readonly string[]> => this.#at('list', () => NODE_STORE_DISK.list(path));

  async #at<T>(name: string, act: () => Promise<T>, half?: () => Promise<T>): Promise<T> {
    const call = this.calls.push(name) - 1;
    const fault = this.#fault;
    if (fault === undefined || call < fault.call || (call > fault.call && !fault.isLast)) return act();
    if (call === fault.call && fault.way === 'done') await act();
    if (call === fault.call && fault.way === 'half done') await half?.();
    throw Object.assign(new Error(`EIO: i/o error, ${name}`), { code: 'EIO' });
  }
}
