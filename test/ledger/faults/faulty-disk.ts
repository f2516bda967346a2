/**
 * The real disk with one call that fails, before it took effect or after, so that nobody can tell the two apart; a write
 * may also stop half way. It remembers what was left open, to let go of it as the end of a process would.
 */
import { basename } from 'node:path';
import { NODE_DISK, type Disk, type Piece } from '../../../ledger/store/disk.js';

const WAYS = ['not done', 'done', 'half done'] as const;
export type Way = (typeof WAYS)[number];

export interface Fault {
  /** Number of the call that fails, from 0. */
  readonly call: number;
  readonly way: Way;
}

/** Every way in which each of these calls can fail. */
export function faultsOf(calls: readonly string[]): Fault[] {
  return calls.flatMap((name, call) =>
    WAYS.filter((way) => way !== 'half done' || name.startsWith('write')).map((way) => ({ call, way })),
  );
}

type Level = ReturnType<Disk['database']>;
type Call = (...args: unknown[]) => unknown;

const PROMISES = new Set(['open', 'close', 'batch', 'get', 'getMany', 'put', 'clear']);
const CURSORS = new Set(['iterator', 'keys', 'values']);
const CURSOR_CALLS = new Set(['all', 'nextv']);

const fileError = (what: string): Error =>
  Object.assign(new Error(`EIO: i/o error, ${what}`), { code: 'EIO', syscall: what });
const noSpace = (): Error =>
  Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
const levelError = (what: string): Error =>
  Object.assign(new Error(`IO error: ${what}: Input/output error`), { code: 'LEVEL_IO_ERROR' });

export class FaultyDisk implements Disk {
  /** What was called, in order, such as `write journal-0` or `level batch`. */
  readonly calls: string[] = [];
  readonly #fault: Fault | undefined;
  readonly #names = new Map<number, string>();
  readonly #databases: Level[] = [];

  constructor(fault?: Fault) {
    this.#fault = fault;
  }

  get wasReached(): boolean {
    return this.#fault === undefined || this.calls.length > this.#fault.call;
  }

  /** As when the process ends: whatever the ledger left open is closed. Gives how many files that were. */
  async endProcess(): Promise<number> {
    await Promise.all(this.#databases.splice(0).map((db) => db.close()));
    const left = [...this.#names.keys()];
    for (const fd of left) NODE_DISK.close(fd);
    this.#names.clear();
    return left.length;
  }

  open(path: string, flags: number, mode?: number): number {
    const name = basename(path).replace(/^\d+/, 'NNN');
    return this.#at(
      `open ${name}`,
      () => {
        const fd = NODE_DISK.open(path, flags, mode);
        this.#names.set(fd, name);
        return fd;
      },
      fileError,
    );
  }

  close(fd: number): void {
    const name = this.#name('close', fd);
    this.#at(
      name,
      () => {
        this.#names.delete(fd);
        NODE_DISK.close(fd);
      },
      fileError,
    );
  }

  size(fd: number): number {
    return this.#at(this.#name('stat', fd), () => NODE_DISK.size(fd), fileError);
  }

  read(fd: number, bytes: Buffer): number {
    return this.#at(this.#name('read', fd), () => NODE_DISK.read(fd, bytes), fileError);
  }

  readAsync(fd: number, bytes: Buffer, position: number): Promise<number> {
    return this.#later(this.#name('read', fd), () => NODE_DISK.readAsync(fd, bytes, position), fileError);
  }

  write(fd: number, piece: Piece): number {
    const name = this.#name('write', fd);
    const half = (): number => NODE_DISK.write(fd, halfOf(piece));
    return this.#at(name, () => NODE_DISK.write(fd, piece), fileError, half);
  }

  writeAsync(fd: number, piece: Piece): Promise<number> {
    const name = this.#name('write', fd);
    const half = (): Promise<number> => NODE_DISK.writeAsync(fd, halfOf(piece));
    return this.#later(name, () => NODE_DISK.writeAsync(fd, piece), fileError, half);
  }

  truncate(fd: number): void {
    this.#at(this.#name('truncate', fd), () => NODE_DISK.truncate(fd), fileError);
  }

  unlink(path: string): void {
    this.#at('unlink', () => NODE_DISK.unlink(path), fileError);
  }

  rename(from: string, to: string): void {
    this.#at(`rename ${basename(from)}`, () => NODE_DISK.rename(from, to), fileError);
  }

  sync(fd: number): Promise<void> {
    return this.#later(this.#name('sync', fd), () => NODE_DISK.sync(fd), fileError);
  }

  list(dir: string): readonly string[] {
    return this.#at('list', () => NODE_DISK.list(dir), fileError);
  }

  database(location: string, options: { readonly createIfMissing: boolean }): Level {
    const db = NODE_DISK.database(location, options);
    this.#databases.push(db);
    return this.#watched(db, PROMISES);
  }

  #name(what: string, fd: number): string {
    return `${what} ${this.#names.get(fd) ?? 'a file'}`;
  }

  /** A level database or cursor whose promises may fail. */
  #watched<T extends object>(target: T, promises: ReadonlySet<string>): T {
    return new Proxy(target, {
      get: (_, name) => {
        const value = Reflect.get(target, name, target) as unknown;
        if (name === Symbol.asyncIterator) return () => this.#allOf(target as AsyncIterable<unknown>);
        if (typeof value !== 'function' || typeof name !== 'string') return value;
        const call = (value as Call).bind(target);
        if (CURSORS.has(name))
          return (...args: unknown[]) => this.#watched(call(...args) as object, CURSOR_CALLS);
        if (!promises.has(name)) return call;
        return (...args: unknown[]) => this.#later(`level ${name}`, async () => call(...args), levelError);
      },
    });
  }

  /** Reading through a cursor counts as one call. */
  async *#allOf(cursor: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    await this.#later('level iterate', async () => undefined, levelError);
    yield* cursor;
  }

  #isFaulty(name: string): Way | undefined {
    this.calls.push(name);
    return this.calls.length - 1 === this.#fault?.call ? this.#fault.way : undefined;
  }

  #at<T>(name: string, run: () => T, error: (what: string) => Error, half?: () => T): T {
    const way = this.#isFaulty(name);
    if (way === 'half done' && half !== undefined) {
      half();
      throw noSpace();
    }
    if (way === 'not done') throw error(name);
    const result = run();
    if (way !== undefined) throw error(name);
    return result;
  }

  async #later<T>(
    name: string,
    run: () => Promise<T>,
    error: (what: string) => Error,
    half?: () => Promise<T>,
  ): Promise<T> {
    const way = this.#isFaulty(name);
    if (way === 'half done' && half !== undefined) {
      await half();
      throw noSpace();
    }
    if (way === 'not done') throw error(name);
    const result = await run();
    if (way !== undefined) throw error(name);
    return result;
  }
}

function halfOf({ bytes, offset, position }: Piece): Piece {
  const end = offset + Math.floor((bytes.length - offset) / 2);
  return { bytes: bytes.subarray(0, end), offset, position };
}
