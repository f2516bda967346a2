/** A tracer that has many reports to open leaves others on its thread their turns. */
import { expect, test, vi } from 'vitest';
import { memoryContactStore } from '../../tracer/contacts/open-contact-store.js';
import { Intake } from '../../tracer/intake/intake.js';
import { inlineOpener } from '../../tracer/opening/opener.js';
import type { ReportOpener } from '../../tracer/opening/opener.js';
import { keysOf, NOON, recordOf, reportOf } from './deployment.js';
import { MemoryLog } from './memory-log.js';
import { DAY, entriesOf, settings } from './opening/logged-things.js';
import { tracerOn } from './tracer-on.js';

/** One page of the log, of some 100 ms. */
const REPORTS = 240;
const RECORDS_A_REPORT = 64;

test('a page of reports is opened a few at a time, and all of it is taken', async () => {
  const log = new MemoryLog();
  for (let tag = 1; tag <= REPORTS; tag++)
    log.append(reportOf({ tag, records: [recordOf(1000 + tag, NOON, 600)] }));
  const tracer = tracerOn(log);
  const opened = [0];
  let isDone = false;
  const look = (): void => {
    opened.push(tracer.status().counts.opened);
    if (!isDone) setImmediate(look);
  };
  look();
  await tracer.catchUp();
  isDone = true;
  opened.push(tracer.status().counts.opened);
  expect(tracer.status()).toMatchObject({ contacts: REPORTS, counts: { opened: REPORTS } });
  const atOnce = opened.slice(1).map((count, k) => count - (opened[k] ?? 0));
  expect(Math.max(...atOnce)).toBeLessThan(REPORTS / 2);
  await tracer.close();
});

/** As threads are that opened all of a page while this one did something else. */
const doneAhead: ReportOpener = {
  open: (reports, dayKeysOf) => {
    const openings = inlineOpener(settings).open(reports, dayKeysOf);
    const opened = reports.map((_, place) => openings.at(place));
    return { at: (place) => opened[place] ?? openings.at(place), done: () => undefined };
  },
};

test('what many opened reports tell is merged a few reports at a time', async () => {
  const log = new MemoryLog();
  const records = Array.from({ length: RECORDS_A_REPORT }, (_, k) => recordOf(1000 + k, NOON, 60));
  for (let tag = 1; tag <= 24; tag++) log.append(reportOf({ tag, records }));
  const contacts = memoryContactStore();
  const add = vi.spyOn(contacts, 'add');
  const given = { ...settings, reader: log.reader(), dayKeys: keysOf([DAY]), opener: doneAhead };
  await new Intake(given, contacts).takePage(entriesOf(log));
  const atOnce = add.mock.calls.map(([told]) => told.length);
  expect(contacts.status().contacts).toBe(24 * RECORDS_A_REPORT);
  expect(Math.max(...atOnce)).toBeLessThan(256 + RECORDS_A_REPORT);
});
