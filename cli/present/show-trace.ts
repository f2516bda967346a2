/** A trace on the screen, and in the files asked for. */
import { resolve } from 'node:path';
import type { TraceResult } from '../../tracer/looks/trace-result.js';
import { traceCsv } from '../../tracer/looks/trace-csv.js';
import { writeAtomically } from '../files/atomic-file.js';
import { usage } from '../terminal/exit.js';
import { requireNew, requireWritableFile } from '../files/output-file.js';
import type { KeptFiles } from '../files/output-file.js';
import { byScore } from './trace-rows.js';
import type { ListOrder } from './trace-rows.js';
import { traceTree } from './trace-tree.js';

/** How an answer is shown, and where it is written. */
export interface ShownTrace extends TraceFiles {
  /** On the screen and in the CSV: by hop, then time of exposure, by default. */
  readonly sort?: ListOrder;
}

export interface TraceFiles {
  readonly json?: string;
  readonly csv?: string;
  /** Never overwritten. */
  readonly evidence?: string;
}

/** Throws as {@link requireWritableFile} for each of them, `exists` for evidence, and `usage` for a name given twice. */
export async function requireWritable(files: TraceFiles, kept: KeptFiles = {}): Promise<void> {
  const { json, csv, evidence } = files;
  const asked = [json, csv, evidence].filter((file) => file !== undefined);
  for (const file of asked) await requireWritableFile(file, kept);
  if (new Set(asked.map((file) => resolve(file))).size < asked.length)
    throw usage('one file cannot take two answers: give --json, --csv and --evidence a name each');
  if (evidence !== undefined) await requireNew(evidence);
}

/**
 * On the screen first: a file that cannot be written takes the answer from nobody. Then `save`, for what cannot be asked for again
 * without another look, and the files. Each is tried; throws what failed first, `input` for a file.
 */
export async function showTrace(
  trace: TraceResult,
  { json, csv, sort }: ShownTrace,
  save?: () => Promise<void>,
): Promise<void> {
  console.log(traceTree(trace, sort));
  await eachTried([
    ...(save === undefined ? [] : [save]),
    ...(json === undefined ? [] : [() => writeAnswer(json, `${JSON.stringify(trace, undefined, 2)}\n`)]),
    ...(csv === undefined
      ? []
      : [() => writeAnswer(csv, traceCsv(sort === 'score' ? byScore(trace) : trace))]),
  ]);
}

async function eachTried(works: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const work of works) await work().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** A file that its owner alone reads, in the place of one of that name; the screen says so. Throws `input`. */
export async function writeAnswer(file: string, text: string): Promise<void> {
  await writeAtomically(file, text, 0o600);
  console.log(`written to ${file}`);
}
