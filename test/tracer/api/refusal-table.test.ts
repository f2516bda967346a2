/** The table of refusals in the page: a row for each status and code that there is, and what each means to whoever asks. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { refusedBy } from '../../../tracer/api/refusal.js';
import { REFUSAL_CODES } from '../../../tracer/api/refusal-codes.js';
import { AskerError } from '../../../tracer/asker-error.js';

const page = readFileSync(new URL('../../../docs/tracer-api.md', import.meta.url), 'utf8');
const [, section = ''] = /\n## What is refused\n(.*?)\n## /s.exec(page) ?? [];

interface Row {
  readonly status: number;
  readonly code: string;
  readonly when: string;
}

/** A row that names several codes stands for each of them. */
const rows: readonly Row[] = [...section.matchAll(/^\| (\d{3}) +\| ([^|]+) \| ([^|]+) \|$/gm)].flatMap(
  ([, status, codes = '', when = '']) =>
    [...codes.matchAll(/`([a-z-]+)`/g)].map(([, code = '']) => ({ status: Number(status), code, when })),
);

const LOG_AMISS = /does not add up.*asking again does not help/;
const NO_EVIDENCE = /no evidence.*asking again does not help/;
type Meaning = readonly [status: number, code: string, says: readonly RegExp[]];
const KNOWN: readonly Meaning[] = [
  [400, 'format', [/no JSON/, /Host/]],
  [400, 'input', [/does not fit/, /blank/]],
  [401, 'permission', [/no token/]],
  [403, 'permission', [/not in that name/, /ledger refuses/]],
  [404, 'not-found', [/in contact/, /no path/, /no such route/, /past retention/, /payload is gone/]],
  [408, 'timeout', [/request that does not come in time/]],
  [413, 'size', [/question/, /more tags than a look can name/, /evidence/]],
  [415, 'format', [/application\/json/]],
  [417, 'format', [/Expect/]],
  [429, 'full', [/retry-after/]],
  [431, 'size', [/headers/]],
  [500, 'closed', [/fault of ours/]],
  [503, 'busy', [/read on/, /message says how many/]],
  [503, 'full', [/never begun/, /arrivals/]],
  [503, 'unreachable', [/ledger is away/]],
  [503, 'closed', [/stops/, /failed/]],
  ...(['consistency', 'chain', 'signature', 'foreign', 'witness'] as const).map(
    (code) => [503, code, [LOG_AMISS]] as const,
  ),
  [503, 'sealing', [NO_EVIDENCE]],
  [503, 'damaged', [NO_EVIDENCE]],
  [504, 'timeout', [/too long/, /may still be recorded/, /ledger did not answer/, /no checkpoint covers/]],
];

describe('the table of refusals', () => {
  it.each(KNOWN)('tells what %i %s means', (status, code, says) => {
    const told = rows.filter((row) => row.status === status && row.code === code);
    expect(told).toHaveLength(1);
    for (const words of says) expect(told[0]?.when).toMatch(words);
  });

  it('has no other rows, and every code', () => {
    const named = (all: readonly { readonly status: number; readonly code: string }[]): string[] =>
      all.map(({ status, code }) => `${status} ${code}`).sort();
    expect(named(rows)).toEqual(named(KNOWN.map(([status, code]) => ({ status, code }))));
    expect([...new Set(rows.map(({ code }) => code))].sort()).toEqual([...REFUSAL_CODES].sort());
  });

  it.each(REFUSAL_CODES)('has the status that %s is answered with', (code) => {
    const { status } = refusedBy(new AskerError(code, 'words for whoever asks'));
    expect(rows).toContainEqual(expect.objectContaining({ status, code }));
  });

  it.each(['locked', 'usage', 'pruned'] as const)('needs none for what is never told: %s', (code) => {
    const { why, ...told } = refusedBy(new AskerError(code, 'case 151525 is locked'));
    expect(told).toMatchObject({ status: 503, code: 'closed' });
    expect(`${told.message} ${why}`).not.toContain('151525');
  });
});
