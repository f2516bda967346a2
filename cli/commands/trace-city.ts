/** `firebreak trace-city`: traces in a synthetic city (docs/city.md), to see how a tracer answers at full size. */
import { readdir, rename, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import { z } from 'zod';
import { isThere } from '../files/is-there.js';
import { summaryFile } from '../../firmware-sim/city/city-folder.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { ContactStore } from '../../tracer/contacts/contact-store.js';
import { openContactStore } from '../../tracer/contacts/open-contact-store.js';
import { openSegmentStore } from '../../tracer/contacts/segment-store.js';
import { trace } from '../../tracer/looks/trace.js';
import { parseJson } from '../folder/config.js';
import { readInputFile } from '../files/input-file.js';
import { callOf } from '../terminal/how-called.js';
import { consoleLog } from '../terminal/log.js';
import { caseNumber } from '../terminal/options.js';
import { count } from '../present/counts.js';
import { requireWritable, showTrace } from '../present/show-trace.js';
import { terminalProgress } from '../terminal/progress.js';
import { stopSignal } from '../terminal/shutdown.js';
import { addContactTraceOptions, requestOf } from '../terminal/trace-options.js';
import type { TraceOptions } from '../terminal/trace-options.js';

interface TraceCityOptions extends TraceOptions {
  readonly case: string;
}

/** Beside the columns, so that the next trace finds it. */
const storeIn = (dir: string): string => join(dir, 'store');
const MAX_THREADS = 8;
const MAX_SUMMARY_BYTES = 65_536;

const citySummary = z.object({ settings: z.object({ people: z.int().min(1) }) });

export function addTraceCityCommand(program: Command): void {
  const command = program
    .command('trace-city <dir>')
    .description('trace a person of a synthetic city; there is no ledger, and no look to be recorded')
    .option('--case <id>', 'the index case: a tag number, 1 to the number of people', caseNumber, '1');
  addContactTraceOptions(command).action((dir: string, options: TraceCityOptions) => traceCity(dir, options));
}

async function traceCity(dir: string, options: TraceCityOptions): Promise<void> {
  await requireWritable(options);
  await requirePerson(options.case, dir);
  const stop = stopSignal();
  try {
    if (!(await isThere(storeIn(dir)))) await buildStore(dir, stop.signal);
    const store = await openContactStore(storeIn(dir), {
      log: consoleLog('trace-city', process.env['FIREBREAK_LOG']),
      signal: stop.signal,
    });
    try {
      await answer(store, dir, options);
    } finally {
      await store.close();
    }
  } finally {
    stop.dispose();
  }
}

async function answer(store: ContactStore, dir: string, options: TraceCityOptions): Promise<void> {
  const span = store.span();
  if (span === undefined)
    throw new FirebreakError(
      'damaged',
      `there are no contacts in ${storeIn(dir)}: remove it and trace again, then it is built anew`,
    );
  const request = requestOf(options, options.case, span);
  const { contacts, people } = store.status();
  const view = store.view();
  const startMs = performance.now();
  const result = trace(view, request, {
    bucketsOf: (segment, entry) => store.bucketsOf(segment, entry),
  });
  const took = (performance.now() - startMs).toFixed(1);
  console.log(
    pc.dim(`${count(contacts)} contacts of ${count(people)} people; walked and told in ${took} ms\n`),
  );
  await showTrace(result, options);
}

/** Throws `not-found` for a folder without a city that was made to its end, and for a number that nobody has there. */
async function requirePerson(caseTag: string, dir: string): Promise<void> {
  const file = summaryFile(dir);
  if (!(await isThere(file)))
    throw new FirebreakError(
      'not-found',
      `there is no finished city in ${dir}: make one with ${callOf(`city --out ${dir}`)}`,
    );
  const text = new TextDecoder().decode(await readInputFile(file, MAX_SUMMARY_BYTES));
  const summary = citySummary.safeParse(parseJson(file, text));
  if (!summary.success) throw new FirebreakError('damaged', `${file} does not fit: make the city anew`);
  const { people } = summary.data.settings;
  if (Number(caseTag) >= 1 && Number(caseTag) <= people) return;
  throw new FirebreakError(
    'not-found',
    `nobody in ${dir} has the number ${caseTag}: tags are 1 to ${people}`,
  );
}

/** Whole or not there: built beside and renamed. */
async function buildStore(dir: string, signal: AbortSignal): Promise<void> {
  const files = (await readdir(dir)).filter((name) => name.endsWith('.contacts'));
  const unfinished = `${storeIn(dir)}.${process.pid}.new`;
  const progress = terminalProgress(process.stderr);
  const startMs = performance.now();
  let isOurs: boolean;
  try {
    await importInto(unfinished, {
      files: files.map((name) => join(dir, name)),
      signal,
      onProgress: (step, done, total) => progress.update(`building the contact store: ${step}`, done / total),
    });
    isOurs = await putInPlace(unfinished, dir);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  } finally {
    progress.done();
  }
  if (!isOurs)
    return void console.log(`another trace built the contact store meanwhile; it is in ${storeIn(dir)}`);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`contact store of ${files.length} days built in ${seconds} s; it stays in ${storeIn(dir)}`);
}

/** Tells whether it was; where another was put there first, which is whole and of the same city, this one is removed. */
async function putInPlace(unfinished: string, dir: string): Promise<boolean> {
  try {
    await rename(unfinished, storeIn(dir));
    return true;
  } catch (error) {
    if (!(await isThere(storeIn(dir)))) throw error;
    await rm(unfinished, { recursive: true, force: true });
    return false;
  }
}

interface ImportWork {
  readonly files: readonly string[];
  readonly signal: AbortSignal;
  readonly onProgress: (step: string, done: number, total: number) => void;
}

async function importInto(dir: string, { files, ...options }: ImportWork): Promise<void> {
  const store = await openSegmentStore(dir);
  try {
    await store.importColumns(files, { threads: Math.min(availableParallelism(), MAX_THREADS), ...options });
  } finally {
    await store.close();
  }
}
