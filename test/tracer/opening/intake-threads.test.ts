/** Whoever opens the reports, this thread or others, the tracer makes the same of them. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { memoryContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { Intake } from '../../../tracer/intake/intake.js';
import { openOpeningPool } from '../../../tracer/opening/opening-pool.js';
import type { OpeningPool } from '../../../tracer/opening/opening-pool.js';
import type { ReportOpener } from '../../../tracer/opening/opener.js';
import { standingIn } from '../contacts/all-contacts.js';
import { keysOf, NOON, recordOf, reportOf } from '../deployment.js';
import { MemoryLog } from '../memory-log.js';
import { tracerOn } from '../tracer-on.js';
import { DAY, entriesOf, losePayloads, settings, THINGS } from './logged-things.js';

let threads: OpeningPool;

/** A page for the threads, until they have started. */
beforeAll(async () => {
  threads = openOpeningPool(settings, 2, { chunksBeforeStart: 0 });
  const log = new MemoryLog();
  for (let tag = 1; tag <= 32; tag++) log.append(reportOf({ tag, records: [recordOf(99, NOON, 60)] }));
  const page = entriesOf(log);
  const given = { ...settings, reader: log.reader(), dayKeys: keysOf([DAY]), opener: threads };
  await vi.waitFor(
    async () => {
      await new Intake(given, memoryContactStore()).takePage(page);
      expect(threads.status().opened).toBeGreaterThan(0);
    },
    { timeout: 50_000 },
  );
});
afterAll(() => threads.close());

interface Story {
  /** Indexes of things, in the order they are logged. */
  readonly things: readonly number[];
  readonly pageLength: number;
  /** Days whose keys are there, page by page; the last ones stay. */
  readonly days: readonly (readonly number[])[];
  /** Hours from one page to the next. */
  readonly hours: number;
}

const story: fc.Arbitrary<Story> = fc.record({
  things: fc.array(fc.nat(THINGS.length - 1), { minLength: 30, maxLength: 90 }),
  pageLength: fc.integer({ min: 20, max: 60 }),
  days: fc.array(fc.subarray([DAY - 3, DAY - 2, DAY - 1, DAY, DAY + 1]), { minLength: 1, maxLength: 3 }),
  hours: fc.constantFrom(0, 1, 30, 24 * 20),
});

/** What few stories tell: the days of what waits leave retention before their keys come. */
const withoutKeys: Story = { things: [...THINGS.keys()], pageLength: 20, days: [[]], hours: 24 * 20 };

function logOf({ things, pageLength, hours }: Story): MemoryLog {
  const log = new MemoryLog();
  log.nowMs = (NOON + 7200) * 1000;
  things.forEach((which, at) => {
    const thing = THINGS[which];
    if (thing !== undefined) log.append(thing);
    if (at % pageLength === pageLength - 1) log.passTo(log.nowMs + hours * 3_600_000);
  });
  losePayloads(log);
  return log;
}

/** All that is made of it. */
async function taken(log: MemoryLog, { pageLength, days }: Story, opener?: ReportOpener) {
  const contacts = memoryContactStore();
  const dayKeys = keysOf([]);
  const given = { ...settings, reader: log.reader(), dayKeys };
  const intake = new Intake({ ...given, ...(opener && { opener }) }, contacts);
  const entries = entriesOf(log);
  for (let from = 0, page = 0; from < entries.length; from += pageLength, page++) {
    dayKeys.days = days[Math.min(page, days.length - 1)] ?? [];
    await intake.takePage(entries.slice(from, from + pageLength));
  }
  const before = intake.sections();
  dayKeys.days = [DAY - 2, DAY, DAY + 1];
  await intake.takeWaiting(log.entries.length);
  const [evidence, status, standing] = [intake.doubts(), intake.status(), standingIn(contacts)];
  return { before, after: intake.sections(), evidence, status, standing };
}

test('pages of anything, in any order, are the same to the byte with threads and without', async () => {
  const met = new Set<string>();
  const { opened: before } = threads.status();
  await fc.assert(
    fc.asyncProperty(story, async (told) => {
      const log = logOf(told);
      const here = await taken(log, told);
      expect(await taken(log, told, threads)).toEqual(here);
      const { counts, waiting, gaps, prunedPayloads, missingPayloads } = here.status;
      for (const [name, count] of Object.entries({
        waiting,
        gaps,
        prunedPayloads,
        missingPayloads,
        ...counts,
      }))
        if (typeof count === 'number' && count > 0) met.add(name);
      for (const code of counts.refused.keys()) met.add(code);
      if (here.standing.some(({ mutual }) => mutual)) met.add('mutual');
    }),
    { numRuns: 30, examples: [[withoutKeys]] },
  );
  expect([...met].sort()).toEqual(EVERYTHING);
  expect(threads.status()).toMatchObject({ threads: 2, deaths: 0 });
  expect(threads.status().opened).toBeGreaterThan(before + 500);
});

test('a tracer with threads reads what one without reads', async () => {
  const log = new MemoryLog();
  log.nowMs = (NOON + 7200) * 1000;
  for (let tag = 1; tag <= 560; tag++)
    log.append(reportOf({ tag, records: [recordOf(1 + (tag % 560), NOON, 60)] }));
  const [without, within] = [tracerOn(log), tracerOn(log, { openThreads: 1 })];
  await Promise.all([without, within].map((tracer) => tracer.catchUp()));
  expect(within.status()).toEqual(without.status());
  expect(within.status()).toMatchObject({ contacts: 560, counts: { opened: 560 } });
  expect(standingIn(within)).toEqual(standingIn(without));
  await Promise.all([without, within].map((tracer) => tracer.close()));
});

const EVERYTHING = [
  ...['bucket', 'clones', 'credential-signature', 'epoch', 'forged', 'format', 'gaps'],
  ...['missingPayloads', 'mutual', 'opened', 'padding', 'partial', 'prunedPayloads', 'record-day', 'records'],
  ...['repeated', 'report-signature', 'reserved', 'sealing', 'session', 'unresolved', 'waiting'],
];
