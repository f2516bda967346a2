/** A trace on the screen, and in the files asked for. */
import type { TraceResult } from '../../tracer/trace-result.js';
import { traceCsv } from '../../tracer/trace-csv.js';
import { writeAtomically } from '../atomic-file.js';
import { traceTree } from './trace-tree.js';

export async function showTrace(
  trace: TraceResult,
  files: { readonly json?: string; readonly csv?: string },
): Promise<void> {
  if (files.json !== undefined)
    await writeAtomically(files.json, `${JSON.stringify(trace, undefined, 2)}\n`, 0o600);
  if (files.csv !== undefined) await writeAtomically(files.csv, traceCsv(trace), 0o600);
  console.log(traceTree(trace));
  for (const file of [files.json, files.csv]) if (file !== undefined) console.log(`written to ${file}`);
}
