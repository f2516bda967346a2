import { describe, expect, it } from 'vitest';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { encodeEntry, NO_PREVIOUS_LEAF, decodeEntry } from '../../protocol/tlog/entry.js';
import { noteSigner } from '../../protocol/tlog/note.js';
import { memoryCheckpointStore } from '../../tracer/follow/checkpoint-store.js';
import { Follower } from '../../tracer/follow/follower.js';
import type { LoggedEntry } from '../../tracer/follow/payloads.js';
import { logKey, MemoryLog } from './memory-log.js';

interface Following {
  readonly follower: Follower;
  readonly seen: LoggedEntry[];
  readonly pages: number[];
}

function following(log: MemoryLog, checkpoints = memoryCheckpointStore()): Following {
  const seen: LoggedEntry[] = [];
  const pages: number[] = [];
  const onPage = async (entries: readonly LoggedEntry[]): Promise<void> => {
    pages.push(entries.length);
    seen.push(...entries);
  };
  return {
    follower: new Follower({ reader: log.reader(), verifier: logKey, checkpoints, onPage }),
    seen,
    pages,
  };
}

/** Another log that shares `shared` entries with the first. */
function forkOf(log: MemoryLog, shared: number, size: number): MemoryLog {
  const fork = new MemoryLog();
  fork.entries.push(...log.entries.slice(0, shared));
  return fork.fill(size - shared, 99);
}

const expectNothing = async ({ follower, seen }: Following, code: string): Promise<void> => {
  const before = seen.length;
  await expect(follower.catchUp()).rejects.toMatchObject({ code });
  expect(seen).toHaveLength(before);
};

describe('a follower', () => {
  it('hands on every entry once, in order, in pages of at most a bundle, wherever the log stood before', async () => {
    const log = new MemoryLog();
    const { follower, seen, pages } = following(log);
    for (const more of [0, 1, 254, 1, 3, 600, 0, 165]) {
      log.fill(more);
      const { added, checkpoint } = await follower.catchUp();
      expect(added).toBe(more);
      expect(checkpoint.size).toBe(log.entries.length);
    }
    expect(seen.map(({ index }) => index)).toEqual(log.entries.map((_, index) => index));
    expect(Math.max(...pages)).toBe(256);
    expect(seen[700]).toEqual({ ...decodeEntry(log.entries[700] ?? new Uint8Array()), index: 700 });
  });

  it('tells how far it is', async () => {
    const log = new MemoryLog().fill(600);
    const told: number[][] = [];
    await following(log).follower.catchUp((done, size) => told.push([done, size]));
    const verifying = [0, 0, 0, 0].map((none) => [none, 600]); // at once, and with each of three pages
    expect(told).toEqual([...verifying, [256, 600], [512, 600], [600, 600]]);
  });

  it('uses nothing of a log that was rolled back, forked, or has another root at the same size', async () => {
    for (const [shared, size] of [
      [300, 300],
      [300, 900],
      [499, 500],
      [0, 500],
    ] as const) {
      const log = new MemoryLog().fill(500);
      const follow = following(log);
      await follow.follower.catchUp();
      const fork = forkOf(log, shared, size);
      log.entries.splice(0, log.entries.length, ...fork.entries);
      await expectNothing(follow, size > 500 ? 'chain' : 'consistency');
    }
  });

  it('after a restart uses nothing of a log that does not lead over its saved checkpoint', async () => {
    for (const [shared, size] of [
      [300, 300],
      [300, 900],
      [499, 500],
      [499, 501],
    ] as const) {
      const checkpoints = memoryCheckpointStore();
      const log = new MemoryLog().fill(500);
      await following(log, checkpoints).follower.catchUp();
      await expectNothing(following(forkOf(log, shared, size), checkpoints), 'consistency');
      expect(await checkpoints.load()).toBe(log.checkpoint());
    }
  });

  it('holds a fork against its saved checkpoint also after a first reading broke off behind it', async () => {
    const checkpoints = memoryCheckpointStore();
    const log = new MemoryLog().fill(256);
    await following(log, checkpoints).follower.catchUp();
    log.fill(300);
    const broken = log.entries[400] ?? new Uint8Array();
    const restarted = following(log, checkpoints);
    log.entries[400] = encodeEntry({ ...decodeEntry(broken), previousLeaf: NO_PREVIOUS_LEAF });
    await expectNothing(restarted, 'chain');
    const fork = forkOf(log, 10, 600);
    log.entries.splice(0, log.entries.length, ...fork.entries);
    await expectNothing(restarted, 'consistency');
  });

  it('uses nothing when an entry does not follow from the one before', async () => {
    const log = new MemoryLog().fill(300);
    log.entries.splice(270, 1);
    await expectNothing(following(log), 'chain');
  });

  it('uses nothing of a checkpoint that another key signed', async () => {
    const log = new MemoryLog().fill(3);
    log.signer = noteSigner(logKey.name, fastSigner(new Uint8Array(32).fill(8)));
    await expectNothing(following(log), 'signature');
  });

  it('refuses entries that changed between verifying and reading them', async () => {
    const log = new MemoryLog().fill(200);
    const follow = following(log);
    const reader = log.reader();
    let bundles = 0;
    const entryBundle = (index: number, width: number): Promise<Uint8Array> => {
      if ((bundles += 1) === 2)
        log.entries.splice(0, log.entries.length, ...new MemoryLog().fill(200, 1).entries);
      return reader.entryBundle(index, width);
    };
    const { seen } = follow;
    const follower = new Follower({
      reader: { ...reader, entryBundle },
      verifier: logKey,
      checkpoints: memoryCheckpointStore(),
      onPage: async (entries) => void seen.push(...entries),
    });
    await expectNothing({ ...follow, follower }, 'consistency');
  });

  it('hands on later what it verified when a reading breaks off or the caller stops', async () => {
    const log = new MemoryLog().fill(700);
    const { follower, seen } = following(log);
    const stop = new AbortController();
    const stopped = follower.catchUp((done) => void (done > 0 && stop.abort()), stop.signal);
    await expect(stopped).rejects.toThrow();
    expect(seen).toHaveLength(256);
    log.failing = { call: 'entryBundle', error: new Error('away') };
    await expect(follower.catchUp()).rejects.toThrow('away');
    log.fill(10);
    expect((await follower.catchUp()).added).toBe(454);
    expect(seen.map(({ index }) => index)).toEqual(log.entries.map((_, index) => index));
  });

  it('hands a page on again when it could not be taken', async () => {
    const log = new MemoryLog().fill(300);
    const taken: number[] = [];
    let tries = 0;
    const onPage = async (entries: readonly LoggedEntry[]): Promise<void> => {
      if ((tries += 1) === 2) throw new Error('no payloads now');
      taken.push(entries.length);
    };
    const checkpoints = memoryCheckpointStore();
    const follower = new Follower({ reader: log.reader(), verifier: logKey, checkpoints, onPage });
    await expect(follower.catchUp()).rejects.toThrow('no payloads now');
    await follower.catchUp();
    expect(taken).toEqual([256, 44]);
  });
});
