/** What an authority says while the log that it reads for audits is away, or is another. */
import { expect, test } from 'vitest';
import { readingOf } from '../../cli/folder/log-reading.js';
import { FirebreakError } from '../../protocol/errors.js';

const away = new FirebreakError('unreachable', 'the ledger does not answer');
const rolledBack = (size: number) => new FirebreakError('consistency', `the ledger shows ${size} entries`);

/** What is said over readings that end so, one after another. */
async function saidOver(ends: readonly (Error | undefined)[], signal = new AbortController().signal) {
  const said: string[] = [];
  const note = (level: string) => (_message: string, fields?: { readonly code?: unknown }) =>
    void said.push(`${level} ${String(fields?.code)}`);
  const log = { info: note('info'), warn: note('warn'), error: note('error') };
  let next = 0;
  const catchUp = async (): Promise<void> => {
    const end = ends[next++];
    if (end !== undefined) throw end;
  };
  const read = readingOf({ catchUp }, { log, signal });
  for (let times = 0; times < ends.length; times += 1) await read();
  return said;
}

test('a ledger that is away is said once, until it was back', async () => {
  expect(await saidOver([away, away, undefined, away])).toEqual(['warn unreachable', 'warn unreachable']);
});

test('a ledger that comes back with another history is said, once however it grows', async () => {
  expect(await saidOver([away, rolledBack(5), rolledBack(6)])).toEqual([
    'warn unreachable',
    'error consistency',
  ]);
});

test('nothing is said when it is asked to stop', async () => {
  expect(await saidOver([away], AbortSignal.abort())).toEqual([]);
});
