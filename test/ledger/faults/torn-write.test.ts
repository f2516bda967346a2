import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { JOURNAL_FILES } from '../../../ledger/store/folder.js';
import { scanFrames, FRAME_HEAD } from '../../../ledger/store/journal-frames.js';
import { openLedger, type Ledger } from '../../../ledger/ledger.js';
import { openStoreLevel } from '../../../ledger/store/store-open.js';
import { WHAT_TO_DO } from '../../../ledger/store/store-damage.js';
import { batchOf, ledgerDeps, logSigner, noticeItem, officer, openReceipt } from '../deployment.js';
import { checkFolder } from '../fsck-folder.js';
import { memoryFolder } from './fault-sweep.js';
import { requireSound } from './sound.js';

const PAGE = 4096;
const SETTLED = 9;
const LAST = 14;
/** Entries in a batch: a frame of some pages. */
const ENTRIES = 60;

const batchOfSeq = (seq: number) =>
  batchOf(
    officer,
    seq,
    Array.from({ length: ENTRIES }, (_, i) => noticeItem(`${seq}/${i}`)),
  );

/** Where the newest frame is, but for the zeros that fill its last block. */
interface Newest {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

async function newestFrame(dir: string): Promise<Newest> {
  const found = await Promise.all(
    JOURNAL_FILES.map(async (name) => {
      const bytes = await readFile(join(dir, name));
      const { frames, end } = scanFrames(bytes);
      const commit = frames.at(-1)?.commit ?? 0;
      const filled = bytes.subarray(0, end).findLastIndex((byte) => byte !== 0) + 1;
      return { name, start: frames.at(-2)?.end ?? 0, end: filled, commit };
    }),
  );
  return found.reduce((a, b) => (a.commit > b.commit ? a : b));
}

let folder = '';
/** The power was cut after the last commit; the head file is of that commit, or of the one before. */
let answered = '';
let unanswered = '';
/** As those, with a head file that speaks of the first of the frames alone. */
let behind = '';
/** The ledger was stopped; its journal came back as `behind` has it. */
let stopped = '';
let newest: Newest;

async function submit(ledger: Ledger, from: number, to: number): Promise<void> {
  for (let seq = from; seq < to; seq++) await ledger.submit(batchOfSeq(seq));
}

/** The database knows nothing of the commits in the journal but the first ones. */
beforeAll(async () => {
  folder = await mkdtemp(join(memoryFolder(), 'firebreak-torn-'));
  const dir = join(folder, 'ledger');
  const first = await openLedger(ledgerDeps(dir));
  await submit(first, 0, SETTLED);
  await first.close();
  const store = join(folder, 'store');
  await cp(join(dir, 'store'), store, { recursive: true });
  const second = await openLedger(ledgerDeps(dir));
  await submit(second, SETTLED, SETTLED + 1);
  const oldHead = await readFile(join(dir, 'head'));
  await submit(second, SETTLED + 1, LAST - 1);
  const head = await readFile(join(dir, 'head'));
  await submit(second, LAST - 1, LAST);
  answered = join(folder, 'answered');
  await cp(dir, answered, { recursive: true });
  await second.close();
  await rm(join(answered, 'store'), { recursive: true });
  await cp(store, join(answered, 'store'), { recursive: true });
  unanswered = join(folder, 'unanswered');
  await cp(answered, unanswered, { recursive: true });
  await writeFile(join(unanswered, 'head'), head);
  behind = join(folder, 'behind');
  await cp(answered, behind, { recursive: true });
  await writeFile(join(behind, 'head'), oldHead);
  newest = await newestFrame(answered);
  stopped = join(folder, 'stopped');
  await cp(dir, stopped, { recursive: true });
  await cp(join(answered, newest.name), join(stopped, newest.name));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Damage {
  readonly name: string;
  readonly to: (journal: Buffer, at: Newest) => Buffer;
}

/** Up to so many bytes of the frame are written; behind them nothing, zeros, or what an earlier turn left. */
function cutAt(length: (frameBytes: number) => number): Damage[] {
  const keep = ({ start, end }: Newest): number => start + length(end - start);
  const noise = Buffer.alloc(1 << 20, 'an earlier turn of the journal');
  const damages: readonly Damage[] = [
    { name: 'ends', to: (journal, at) => journal.subarray(0, keep(at)) },
    { name: 'goes on with zeros', to: (journal, at) => Buffer.from(journal).fill(0, keep(at)) },
    {
      name: 'goes on with an earlier turn',
      to: (journal, at) => Buffer.concat([journal.subarray(0, keep(at)), noise.subarray(keep(at))]),
    },
  ];
  return damages.map(({ name, to }) => ({ name: `${name} after ${length(10_000)} of 10,000 bytes`, to }));
}

const CUTS: readonly ((frameBytes: number) => number)[] = [
  ...[0, 1, 4, 9, 10, 15, 16, 19, 20, 23, FRAME_HEAD, FRAME_HEAD + 1, FRAME_HEAD + 6].map(
    (bytes) => () => bytes,
  ),
  (bytes) => Math.floor(bytes / 2),
  (bytes) => bytes - 1,
];

/** Some of the frame's pages reached the disk and others did not, whatever their order. */
const PAGES: readonly Damage[] = [[0], [1], [0, 2], [1, 2], [-1]].map((missing) => ({
  name: `pages ${missing.join(' and ')} are zeros`,
  to: (journal, { start, end }) => {
    const bytes = Buffer.from(journal);
    for (const page of missing) {
      const at = page < 0 ? end - 1 - ((end - 1) % PAGE) : start - (start % PAGE) + page * PAGE;
      bytes.fill(0, Math.max(start, at), Math.min(end, at + PAGE));
    }
    return bytes;
  },
}));

const DAMAGES = [...CUTS.flatMap(cutAt), ...PAGES];

async function damagedCopy(template: string, { to }: Damage): Promise<string> {
  const dir = await mkdtemp(join(folder, 'copy-'));
  await cp(template, dir, { recursive: true });
  const path = join(dir, newest.name);
  await writeFile(path, to(await readFile(path), newest));
  return dir;
}

describe('a last frame of the journal that is not whole', () => {
  test.each(DAMAGES)('is left out when nobody was answered: $name', async (damage) => {
    const dir = await damagedCopy(unanswered, damage);
    const ledger = await openLedger(ledgerDeps(dir));
    expect(ledger.status().size).toBe(ENTRIES * (LAST - 1));
    for (let seq = 0; seq < LAST; seq++) {
      const batch = batchOfSeq(seq);
      expect(openReceipt(await ledger.submit(batch), batch).outcomes[0]).toEqual({
        reason: 0,
        index: ENTRIES * seq,
      });
    }
    await ledger.close();
    await requireSound(dir);
  });

  test.each(DAMAGES)('is missed when it was answered for, and the ledger says so: $name', async (damage) => {
    const dir = await damagedCopy(answered, damage);
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(openLedger(ledgerDeps(dir))).rejects.toMatchObject({
        code: 'damaged',
        message: expect.stringContaining(
          `holds ${ENTRIES * (LAST - 1)} entries but answered for ${ENTRIES * LAST}: its newest data is lost. ${WHAT_TO_DO}`,
        ) as string,
      });
  });

  test('is there when it is whole', async () => {
    for (const template of [answered, unanswered]) {
      const dir = await damagedCopy(template, { name: '', to: (journal) => journal });
      const ledger = await openLedger(ledgerDeps(dir));
      expect(ledger.status().size).toBe(ENTRIES * LAST);
      await ledger.close();
      await requireSound(dir);
    }
  });
});

/** Frames of the journal: the first, one between, the last. */
const FIRST = 0;
const MIDDLE = 2;
const FINAL = LAST - SETTLED - 1;

function boundsOf(journal: Buffer, frame: number): { readonly start: number; readonly end: number } {
  const { frames } = scanFrames(journal);
  return { start: frames[frame - 1]?.end ?? 0, end: frames[frame]?.end ?? 0 };
}

function flipped(frame: number, byte: number): Damage {
  return {
    name: `one bit of byte ${byte} in frame ${frame} is another`,
    to: (journal) => {
      const bytes = Buffer.from(journal);
      const at = boundsOf(journal, frame).start + byte;
      bytes[at] = (bytes[at] as number) ^ 4;
      return bytes;
    },
  };
}

function wiped(frame: number, from: number, length: number): Damage {
  return {
    name: `${length} bytes of frame ${frame} from byte ${from} are zeros`,
    to: (journal) => {
      const { start, end } = boundsOf(journal, frame);
      return Buffer.from(journal).fill(0, start + from, Math.min(end, start + from + length));
    },
  };
}

/** Magic, commit, settled, length, checksum of the frame before, checksum, rows. */
const FIELDS = [0, 9, 15, 19, 20, 24, FRAME_HEAD, 500, PAGE + 100];
const UNREADABLE = [
  ...[FIRST, MIDDLE, FINAL].flatMap((frame) => FIELDS.map((byte) => flipped(frame, byte))),
  ...[FIRST, MIDDLE].flatMap((frame) => [wiped(frame, 0, Infinity), wiped(frame, PAGE, PAGE)]),
  wiped(MIDDLE, 0, PAGE),
];

describe('a frame that was answered for and cannot be read, with a head file that was not synced since', () => {
  test.each(UNREADABLE)('keeps the ledger from starting: $name', async (damage) => {
    const dir = await damagedCopy(behind, damage);
    const journal = await readFile(join(dir, newest.name));
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(openLedger(ledgerDeps(dir))).rejects.toMatchObject({
        code: 'damaged',
        message: expect.stringMatching(
          new RegExp(
            `^${newest.name} in ${dir} is damaged at byte \\d+: .*up to commit ${LAST} were answered for`,
          ),
        ) as string,
      });
    expect((await readFile(join(dir, newest.name))).equals(journal)).toBe(true);
    expect((await checkFolder(dir)).findings.damageCount).toBeGreaterThan(0);
  });

  test.each([...UNREADABLE, ...PAGES])('costs nothing where the store has it: $name', async (damage) => {
    const dir = await damagedCopy(stopped, damage);
    const ledger = await openLedger(ledgerDeps(dir));
    expect(ledger.status().size).toBe(ENTRIES * LAST);
    await ledger.close();
    await requireSound(dir);
  });

  test.each(PAGES)('is not seen in the pages of a last one that never came: $name', async (damage) => {
    const dir = await damagedCopy(behind, damage);
    const ledger = await openLedger(ledgerDeps(dir));
    expect(ledger.status().size).toBe(ENTRIES * (LAST - 1));
    await ledger.submit(batchOfSeq(LAST - 1));
    await ledger.close();
    await requireSound(dir);
  });

  test('keeps a lost head file from being made again', async () => {
    const dir = await damagedCopy(behind, flipped(MIDDLE, 500));
    await rm(join(dir, 'head'));
    const identity = { origin: logSigner.name, logPublicKey: logSigner.publicKey };
    await expect(openStoreLevel({ dir, identity, headIsLost: true })).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining(newest.name) as string,
    });
  });
});
