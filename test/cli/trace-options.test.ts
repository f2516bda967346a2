/** What a trace asks, out of the options it was given. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, it, onTestFinished } from 'vitest';
import { folderAt } from '../../cli/folder/folder.js';
import { addTraceOptions, askedOf } from '../../cli/terminal/trace-options.js';
import type { TraceOptions } from '../../cli/terminal/trace-options.js';
import { attempt } from './in-process.js';

const ALL = [
  ...['--hops', '5', '--direction', 'both', '--min-seconds', '61', '--latent-seconds', '62'],
  ...['--infectious-seconds', '63', '--attenuation', 'medium', '--presence', '--list', '7'],
];

it.each([
  ['none', [], { hops: 3, direction: 'forward', minSeconds: 900, latentSeconds: 172_800 }],
  [
    'all',
    ALL,
    {
      ...{ hops: 5, direction: 'both', minSeconds: 61, latentSeconds: 62 },
      ...{ infectiousSeconds: 63, attenuation: 'medium', presence: true, list: 7 },
    },
  ],
])('a trace with %s of its options asks what they say, and nothing else', (_which, given, asked) => {
  const command = addTraceOptions(new Command()).parse(given, { from: 'user' });
  expect(askedOf(command.opts<TraceOptions>())).toStrictEqual(asked);
});

it.each(['trace', 'cluster'])(
  'a %s from a time that is to come by the folder’s clock is no look',
  async (command) => {
    const dir = await mkdtemp(join(tmpdir(), 'firebreak-to-come-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    await attempt('authority', 'init', '--data-dir', dir, '--clock-start', '2026-03-02T08:00Z');
    const cases = join(dir, 'cases.txt');
    await writeFile(cases, '1\n2\n');
    const what = command === 'trace' ? ['--case', '1'] : ['--cases', cases];
    const asked = (from: string) => attempt(command, '--data-dir', dir, ...what, '--from', from);
    const early = await asked('2026-03-03T08:00Z');
    expect(early.text).toMatch(
      /--from, Tue, 03 Mar 2026.*, is to come: the folder’s clock says Mon, 02 Mar 2026/,
    );
    expect(early.code).toBe(2);
    expect(existsSync(folderAt(dir).ledger.store)).toBe(false);
    expect((await asked('2026-03-02T07:00Z')).text).toContain('no ledger runs on');
  },
);
