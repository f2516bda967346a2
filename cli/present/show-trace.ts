/** A trace on the screen, and in the files asked for. */
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { FirebreakError } from '../../protocol/errors.js';
import type { TraceResult } from '../../tracer/trace-result.js';
import { traceCsv } from '../../tracer/trace-csv.js';
import { existsAlready, writeAtomically } from '../atomic-file.js';
import { traceTree } from './trace-tree.js';

export interface TraceFiles {
  readonly json?: string;
  readonly csv?: string;
  /** Never overwritten. */
  readonly evidence?: string;
}

/** Better before the long work, and before a look is recorded, than after. Throws `input`, `exists`. */
export async function requireWritable({ json, csv, evidence }: TraceFiles): Promise<void> {
  for (const file of [json, csv, evidence].filter((asked) => asked !== undefined)) {
    const isFolder = (path: string): Promise<boolean> =>
      stat(path).then(
        (info) => info.isDirectory(),
        () => false,
      );
    const parent = dirname(resolve(file));
    if (!(await isFolder(parent)))
      throw new FirebreakError('input', `there is no folder ${parent} to write ${file} into`);
    if (await isFolder(resolve(file)))
      throw new FirebreakError('input', `${file} is a folder; name a file to write`);
  }
  if (evidence !== undefined && (await stat(evidence).catch(() => undefined)) !== undefined)
    throw existsAlready(evidence);
}

export async function showTrace(trace: TraceResult, files: TraceFiles): Promise<void> {
  if (files.json !== undefined)
    await writeAtomically(files.json, `${JSON.stringify(trace, undefined, 2)}\n`, 0o600);
  if (files.csv !== undefined) await writeAtomically(files.csv, traceCsv(trace), 0o600);
  console.log(traceTree(trace));
  for (const file of [files.json, files.csv]) if (file !== undefined) console.log(`written to ${file}`);
}
