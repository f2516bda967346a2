/** A tracer that is killed or closed wherever it stands, and begins again on what it kept, against one that read all in one go. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { silentLog } from '../../protocol/log.js';
import { reportHash } from '../../protocol/tag/report.js';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import { memoryCheckpointStore } from '../../tracer/follow/checkpoint-store.js';
import type { ContactStore } from '../../tracer/contacts/contact-store.js';
import { openContactStore } from '../../tracer/contacts/open-contact-store.js';
import { NODE_STORE_DISK } from '../../tracer/contacts/store-disk.js';
import type { StoreDisk } from '../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../tracer/contacts/task-thread.js';
import type { ReachedPerson } from '../../tracer/looks/trace-result.js';
import type { Answer } from '../../tracer/looks/look-ups.js';
import type { Tracer } from '../../tracer/tracer.js';
import { openWalkPool } from '../../tracer/walk/walk-pool.js';
import type { WalkPool } from '../../tracer/walk/walk-pool.js';
import { standingIn } from './contacts/all-contacts.js';
import {
  gatewayEntry,
  keysOf,
  NOON,
  presenceOf,
  presenceReportOf,
  recordOf,
  reportOf,
} from './deployment.js';
import { MemoryLog } from './memory-log.js';
import type { Appended } from './memory-log.js';
import { mortalDisk } from './mortal-disk.js';
import { tracerOn } from './tracer-on.js';

const DAY = dayOf(NOON);
const DAYS = [DAY - 1, DAY, DAY + 1, DAY + 2];
const at = (day: number, hours: number): number => NOON + day * DAY_SECONDS + hours * 3600;

/** Both sides, several days, retries, clones, a gap, a report whose keys come late, presence. */
const early = { tag: 2, seq: 40, records: [recordOf(3, at(-1, 0), 900)], at: at(-1, 2) };

function told(): Appended[] {
  const first = reportOf({ tag: 1, records: [recordOf(2, at(0, 0), 900), recordOf(3, at(0, 1), 600)] });
  const meetings = [1, 2, 3, 4].flatMap((tag) =>
    [0, 1].flatMap((day) =>
      [0, 1].map((which) => {
        const peers = [1, 2, 3, 4].filter((peer) => peer !== tag);
        const records = peers.map((peer) => recordOf(peer, at(day, which + peer / 4), 300 + 30 * tag));
        return reportOf({ tag, records, seq: 10 * day + which + 1, at: at(day, 5) });
      }),
    ),
  );
  return [
    gatewayEntry(),
    reportOf(early),
    reportOf({ ...early, nonce: 1 }),
    reportOf({ ...early, records: [recordOf(4, at(-1, 0), 900)] }),
    reportOf({
      ...early,
      records: [recordOf(4, at(0, 3), 900)],
      seq: 41,
      prev: reportHash(reportOf(early).payload),
    }),
    first,
    reportOf({ tag: 1, records: [recordOf(2, at(0, 0), 900), recordOf(3, at(0, 1), 600)], nonce: 1 }),
    reportOf({ tag: 1, records: [recordOf(4, at(0, 2), 900)] }),
    reportOf({ tag: 5, records: [recordOf(1, at(0, 2), 900)], seq: 1, prev: new Uint8Array(32).fill(3) }),
    reportOf({ tag: 1, records: [recordOf(5, at(0, 2), 890)], seq: 30, prev: reportHash(first.payload) }),
    reportOf({ tag: 6, records: [recordOf(1, at(2, 0), 900)], at: at(2, 2) }),
    presenceReportOf([presenceOf(7, at(0, 0), 300), presenceOf(1, at(0, 0), 600)]),
    presenceReportOf([presenceOf(7, at(0, 0) + 400, 300)]),
    ...meetings,
  ];
}

const pool = told();

interface Deployment {
  readonly log: MemoryLog;
  readonly keys: ReturnType<typeof keysOf>;
  readonly checkpoints: ReturnType<typeof memoryCheckpointStore>;
}

const newDeployment = (): Deployment => ({
  log: new MemoryLog(),
  keys: keysOf(DAYS.slice(0, 3)),
  checkpoints: memoryCheckpointStore(),
});

function tracerIn({ log, keys, checkpoints }: Deployment, contacts?: ContactStore, walks?: WalkPool): Tracer {
  return tracerOn(log, {
    checkpoints,
    dayKeys: keys,
    access: {
      record: async () => ({
        index: 1,
        further: [],
        payload: new Uint8Array(),
        sharedSecret: new Uint8Array(),
      }),
    },
    saveEvery: 5,
    leastSealed: 1,
    ...(contacts && { contacts }),
    ...(walks && { walks }),
  });
}

const MUCH_SEALED = { tableRows: 16, leastRows: 2, waitingTables: 1 };
const NONE_SEALED = { ...MUCH_SEALED, tableRows: 4096, leastRows: 4096 };

const openIn = (dir: string, disk: StoreDisk, log = silentLog, size = MUCH_SEALED): Promise<ContactStore> =>
  openContactStore(dir, { log, disk, startThread: inlineTasks(disk), ...size });

/** The files that count: others may lie about until the store is opened again. */
async function namesOf(folder: string): Promise<string[]> {
  const files = z.object({ file: z.int() });
  const { segments, people, state, parts } = z
    .object({
      segments: z.array(z.object({ id: z.int() })),
      people: files,
      state: files,
      parts: z.array(files),
    })
    .parse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')));
  const ofSegments = segments.flatMap(({ id }) => [`${id}.segment`, `${id}.evidence`]);
  const ofParts = parts.map(({ file }) => `part-${file}`);
  return [...ofSegments, `people-${people.file}`, `state-${state.file}`, ...ofParts, 'manifest.json'];
}

/** Rounding differs with the order in which contacts lie: the last digits of a score are nobody's answer. */
const rounded = (row: ReachedPerson): ReachedPerson => ({ ...row, score: Number(row.score.toFixed(12)) });

function roundedResult({ result, ...answer }: Answer) {
  const sources = result.sources?.map(rounded);
  return { ...answer, result: { ...result, reached: result.reached.map(rounded), sources } };
}

/** All that a tracer says. */
async function answersOf(tracer: Tracer) {
  const questions = (['forward', 'backward', 'both'] as const).flatMap((direction) =>
    [false, true].map((presence) => ({
      ...{ case: '1', direction, hops: 3, from: at(-1, 0), to: at(9, 0), minSeconds: 900, latentSeconds: 0 },
      presence,
    })),
  );
  const look = { officer: 'o', purpose: 'p' };
  const answers = [];
  for (const question of questions)
    answers.push(await tracer.lookUp(question, look).then(roundedResult, (error: Error) => error.message));
  const { people, ...status } = tracer.status();
  return {
    answers,
    status,
    people,
    standing: standingIn(tracer),
    evidence: tracer.doubts(),
    span: tracer.span(),
  };
}

async function settle(tracer: Tracer, contacts: ContactStore): Promise<void> {
  do {
    await contacts.settled();
    await tracer.catchUp();
  } while (contacts.wantsSave);
}

const life = fc.record({
  entries: fc.integer({ min: 0, max: 9 }),
  end: fc.constantFrom('goes on', 'is killed', 'is killed after a while', 'is closed'),
});

describe('a tracer that begins again', () => {
  let dir = '';
  let folders = 0;
  beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'tracer-'))));
  afterAll(() => rm(dir, { recursive: true }));

  it('answers as one that read everything in one go, wherever it was killed or closed', async () => {
    let segments = 0;
    const property = fc.asyncProperty(
      fc.shuffledSubarray(pool, { minLength: pool.length }),
      fc.array(life, { minLength: 1, maxLength: 6 }),
      fc.constantFrom('stays', 'passes', 'leaps'),
      async (entries, lives, time) => {
        const folder = join(dir, String(folders++));
        const deployment = newDeployment();
        const { log, keys } = deployment;
        log.nowMs = at(3, 0) * 1000;
        let { disk, kill } = mortalDisk();
        let contacts = await openIn(folder, disk);
        let tracer = tracerIn(deployment, contacts);
        const left = [...entries];
        for (const { entries: count, end } of lives) {
          for (const entry of left.splice(0, count)) log.append(entry);
          await tracer.catchUp();
          if (end === 'goes on') continue;
          if (end === 'is killed after a while') await contacts.settled();
          if (end === 'is closed') await tracer.close();
          await kill();
          ({ disk, kill } = mortalDisk());
          contacts = await openIn(folder, disk);
          tracer = tracerIn(deployment, contacts);
        }
        for (const entry of left) log.append(entry);
        keys.days = DAYS;
        if (time === 'passes') log.passTo(at(22, 0) * 1000);
        if (time === 'leaps') log.leapTo(at(22, 0) * 1000);
        await tracer.catchUp();
        const inOneGo = tracerIn({ ...deployment, checkpoints: memoryCheckpointStore() });
        await inOneGo.catchUp();
        const theirs = await answersOf(inOneGo);
        // At once, and not only when the files were written anew.
        const { answers, standing, span } = await answersOf(tracer);
        expect({ answers, standing, span }).toEqual({
          ...{ answers: theirs.answers, standing: theirs.standing, span: theirs.span },
        });
        await settle(tracer, contacts);
        const ours = await answersOf(tracer);
        if (time === 'passes') expect({ ...ours, people: 0 }).toEqual({ ...theirs, people: 0 });
        else expect(ours).toEqual(theirs);
        expect(ours.standing.length).toBeGreaterThan(5);
        segments += contacts.status().segments;
        await tracer.close();
      },
    );
    await fc.assert(property, { numRuns: 15 });
    expect(segments).toBeGreaterThan(15);
  });

  const cutAndOverwritten = (whole: Uint8Array): Uint8Array => whole.slice(0, -1).fill(7, whole.length >> 1);
  const lastBitFlipped = (whole: Uint8Array): Uint8Array => whole.with(-1, (whole.at(-1) ?? 0) ^ 128);
  const gone = (): undefined => undefined;
  const SEALED_FILES = [/\.evidence$/, /\.segment$/];
  const OTHER_FILES = [/^people-/, /^state-/, /^part-/, /^manifest/];

  it.each([
    ['any file that it kept is damaged', MUCH_SEALED, [...SEALED_FILES, ...OTHER_FILES], cutAndOverwritten],
    ['any is, and its contacts are all live', NONE_SEALED, OTHER_FILES, cutAndOverwritten],
    ['a bit of the last live people is flipped', NONE_SEALED, [/^people-/], lastBitFlipped],
    ['the file of live people is gone', NONE_SEALED, [/^people-/], gone],
  ])('reads the ledger again, and says so, when %s', async (_what, size, kinds, damaged) => {
    const deployment = newDeployment();
    const kept = join(dir, String(folders++));
    const contacts = await openIn(kept, NODE_STORE_DISK, silentLog, size);
    const tracer = tracerIn(deployment, contacts);
    for (const entries of [pool.slice(0, 5), pool.slice(5)]) {
      for (const entry of entries) deployment.log.append(entry);
      await tracer.catchUp();
    }
    await settle(tracer, contacts);
    const answers = await answersOf(tracer);
    expect(contacts.status().segments > 0).toBe(size === MUCH_SEALED);
    await tracer.close();
    const people = await readFile(join(kept, 'people-0'));
    expect(8 + 8 * people.readUInt32LE(0)).toBeLessThan(people.length); // more than one block
    for (const kind of kinds) {
      const name = (await namesOf(kept)).find((one) => kind.test(one)) ?? 'none of that kind';
      const file = join(kept, name);
      const bytes = damaged(await readFile(file));
      await (bytes ? writeFile(file, bytes) : rm(file));
      const said: string[] = [];
      const log = { ...silentLog, warn: (message: string) => void said.push(message) };
      const mended = await openIn(kept, NODE_STORE_DISK, log, size);
      const again = tracerIn(deployment, mended);
      const { added } = await again.catchUp();
      await settle(again, mended);
      expect([name, added]).toEqual([name, deployment.log.entries.length]);
      expect(said.join()).toContain('damaged');
      expect(await answersOf(again)).toEqual(answers);
      await again.close();
    }
  });

  it('has days that are over in files, and reads the ledger again when one of them proves damaged', async () => {
    const folder = join(dir, 'days-over');
    const deployment = newDeployment();
    deployment.keys.days = DAYS;
    for (const entry of pool) deployment.log.append(entry);
    const contacts = await openIn(folder, NODE_STORE_DISK);
    const tracer = tracerIn(deployment, contacts);
    await tracer.catchUp();
    await settle(tracer, contacts);
    const kept = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name))));
    expect(kept.filter((bytes) => bytes.subarray(0, 4).toString() === 'FBRB').length).toBeGreaterThan(1);
    for (const name of await readdir(folder)) {
      const bytes = await readFile(join(folder, name));
      if (bytes.subarray(0, 4).toString() !== 'FBRB') continue;
      bytes[bytes.length - 1]! ^= 1;
      await writeFile(join(folder, name), bytes);
    }
    deployment.log.append(reportOf({ ...early, nonce: 2 }));
    expect((await tracer.catchUp()).added).toBe(deployment.log.entries.length);
    const inOneGo = tracerIn({ ...deployment, checkpoints: memoryCheckpointStore() });
    await inOneGo.catchUp();
    expect(await answersOf(tracer)).toEqual(await answersOf(inOneGo));
    expect(tracer.status().counts.repeated).toBeGreaterThan(1);
    await tracer.close();
  });

  it('walks by class of attenuation in threads, and mends evidence that one of them finds damaged', async () => {
    const deployment = newDeployment();
    for (const entry of pool) deployment.log.append(entry);
    const folder = join(dir, 'by-class');
    const contacts = await openIn(folder, NODE_STORE_DISK);
    const tracer = tracerIn(deployment, contacts, openWalkPool(1));
    const alone = tracerIn({ ...deployment, checkpoints: memoryCheckpointStore() });
    for (const one of [tracer, alone]) await one.catchUp();
    await settle(tracer, contacts);
    expect(contacts.status().segments).toBeGreaterThan(0);
    const window = { hops: 3, from: at(-1, 0), to: at(9, 0), minSeconds: 900, latentSeconds: 0 };
    const question = { case: '1', direction: 'forward', attenuation: 'medium', ...window } as const;
    const ask = (one: Tracer) => one.lookUp(question, { officer: 'o', purpose: 'p' }).then(roundedResult);
    const answer = await ask(alone);
    expect(answer.result.reachedCount).toBeGreaterThan(2);
    expect(await ask(tracer)).toEqual(answer);
    for (const name of (await readdir(folder)).filter((one) => one.endsWith('.evidence'))) {
      const whole = await readFile(join(folder, name));
      await writeFile(join(folder, name), whole.fill(7, 64, Math.min(200, whole.length)));
    }
    const view = tracer.view();
    const [segment] = view.segments;
    await expect(ask(tracer)).rejects.toMatchObject({ code: 'damaged' });
    expect((await tracer.catchUp()).added).toBe(deployment.log.entries.length);
    const before = { table: segment?.id ?? -1, isLive: false, at: 0 };
    expect(() => tracer.contactAt(view, before)).toThrow(expect.objectContaining({ code: 'busy' }));
    expect(await ask(tracer)).toEqual(answer);
    await tracer.close();
  });

  it('reads only what is new, and refuses a ledger that does not go on from where it stood', async () => {
    const folder = join(dir, 'forked');
    const deployment = newDeployment();
    const { log } = deployment;
    for (const entry of pool) log.append(entry);
    const tracer = tracerIn(deployment, await openIn(folder, NODE_STORE_DISK));
    await tracer.catchUp();
    await tracer.close();
    log.fill(3);
    const next = tracerIn(deployment, await openIn(folder, NODE_STORE_DISK));
    expect((await next.catchUp()).added).toBe(3);
    await next.close();
    const forked = new MemoryLog();
    for (const entry of pool.toReversed()) forked.append(entry);
    forked.fill(9);
    const lost = { ...deployment, log: forked, checkpoints: memoryCheckpointStore() };
    const refusing = tracerIn(lost, await openIn(folder, NODE_STORE_DISK));
    await expect(refusing.catchUp()).rejects.toMatchObject({ code: 'chain' });
    await refusing.close();
  });
});
