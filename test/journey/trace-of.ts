/** What an officer is told. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { TraceResult } from '../../tracer/looks/trace-result.js';
import { runFirebreak } from '../cli/firebreak-process.js';

/** A trace forward from a tag, by the command of a deployment in `dir`/data. */
export async function traceOf(
  dir: string,
  caseTag: number,
): Promise<{ readonly result: TraceResult; readonly entry: number }> {
  const file = join(dir, `trace-${caseTag}.json`);
  const question = ['--case', String(caseTag), '--min-seconds', '60', '--latent-seconds', '0'];
  const look = ['--officer', 'Dr Journey', '--purpose', 'a rehearsal'];
  const asked = ['trace', '--data-dir', join(dir, 'data'), ...question, ...look, '--json', file];
  const { code, stdout, stderr } = await runFirebreak(...asked);
  expect(code, stderr).toBe(0);
  const entry = Number(/recorded as ledger entry (\d+)/.exec(stdout)?.[1]);
  return { result: JSON.parse(await readFile(file, 'utf8')) as TraceResult, entry };
}
