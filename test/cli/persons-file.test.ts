/** Whom to warn, as a file says it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parsePersons, readPersonsFile } from '../../cli/files/persons-file.js';
import { traceCsv } from '../../tracer/looks/trace-csv.js';
import type { ReachedPerson, TraceResult } from '../../tracer/looks/trace-result.js';
import { FIREBREAK, program } from '../program.js';

const reached = (person: string): ReachedPerson => ({
  ...{ person, hop: 1, exposedAt: 0, earliestAt: 0, score: 1, path: [] },
});

it.each([
  ['a number a line', '17\n4\n', [17, 4]],
  ['comments, blank lines, a last line without its end', '# ward 4\r\n\r\n 017 \r\n4', [17, 4]],
  ['a number that comes twice', '4\n17\n4\n', [4, 17]],
  ['a table of which the column counts', 'hop,person\n1,17\n2,4\n', [17, 4]],
])('%s', (_what, text, people) => {
  expect(parsePersons(text, 'x')).toEqual(people);
});

it('what a trace both ways is written as, sources too', () => {
  const trace: TraceResult = {
    ...{ case: '1', direction: 'both', hops: 2, from: 0, to: 9, minSeconds: 0, latentSeconds: 0 },
    ...{ reachedCount: 1, reached: [{ ...reached('4'), source: '1' }], missingReports: 0 },
    ...{ sourceCount: 1, sources: [reached('17')] },
  };
  expect(parsePersons(traceCsv(trace), 'x')).toEqual([17, 4]);
});

it.each([
  ['a line that is no number', '17\n4 5\n', 'x, line 2: it is no tag number'],
  ['a number beyond all tags', String(2 ** 48), 'x, line 1: it is no tag number'],
  [
    'a row without a number',
    'list,person\nreached,4\nreached\n',
    'x, line 3: its column person is no tag number',
  ],
  ['a table of another kind', 'list;person\nreached;4\n', 'x, line 1: it is no tag number'],
  ['nobody', '# none\n', 'x: it names nobody'],
  ['a table of nobody', 'list,person\n', 'x: it names nobody'],
  [
    'more than a notice names',
    Array.from({ length: 4097 }, (_, n) => n).join('\n'),
    'x: a notice names at most 4096 people, and here are 4097',
  ],
])('is refused with its line: %s', (_what, text, says) => {
  expect(() => parsePersons(text, 'x')).toThrow(says);
});

it('is bounded', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-persons-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = join(dir, 'persons');
  await writeFile(file, '\n'.repeat(8 * 1_048_576 + 1));
  await expect(readPersonsFile(file)).rejects.toMatchObject({ code: 'input' });
});

it('is read from standard input where it is called “-”', async () => {
  const args = ['authority', 'notify', '--data-dir', '.', '--persons', '-'];
  const child = spawn(process.execPath, [program(FIREBREAK), ...args], { stdio: ['pipe', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end('17\nAnna\n');
  const [code] = (await once(child, 'close')) as [number];
  expect(stderr).toContain('standard input, line 2: it is no tag number');
  expect(code).toBe(1);
});
