/** The protocol's table of entry types names who writes each, and a deployment lets that party write it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../cli/folder/config.js';
import { createDeployment } from '../../cli/folder/deployment.js';
import { folderAt } from '../../cli/folder/folder.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { PROJECT_ROOT } from './firebreak-process.js';

/** By their certificates, not by firebreak.json (protocol.md §9). */
const GATEWAY_TYPES = [1, 2];

const page = await readFile(join(PROJECT_ROOT, 'docs/protocol.md'), 'utf8');
const section = page.slice(page.indexOf('\n## 10. '), page.indexOf('\n## 11. '));
const rows = [...section.matchAll(/^\| (\d+) +\|(.+)\|(.+)\|$/gm)].map(([, type, , by = '']) => ({
  type: Number(type),
  by: by.trim(),
}));

let writers: Config['writers'];
beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-writers-'));
  ({ writers } = await createDeployment(folderAt(dir), { settings: DEFAULT_SETTINGS }));
  return () => rm(dir, { recursive: true, force: true });
});

it('names the types 1 to 10', () => {
  expect(rows.map(({ type }) => type)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

describe.each(rows)('type $type', ({ type, by }) => {
  it(`is written by: ${by}`, () => {
    const may = writers.filter(({ entryTypes }) => entryTypes.includes(type)).map(({ name }) => name);
    if (GATEWAY_TYPES.includes(type)) may.push('gateway');
    expect(may).toEqual(by.startsWith('nobody') ? [] : [/^\w+/.exec(by)?.[0]]);
  });
});
