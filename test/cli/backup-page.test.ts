/** The page on copies knows every file of a data folder that belongs to no party's part: without them a party put back is none. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { folderAt } from '../../cli/folder.js';
import { PROJECT_ROOT } from './firebreak-process.js';

/** The folder itself, and what processes say there while they run. */
const NO_FILES = ['dir', 'run'];
const files = Object.entries(folderAt('/data')).flatMap(([what, path]) =>
  typeof path === 'string' && !NO_FILES.includes(what) ? [basename(path)] : [],
);

it('there are such files', () => {
  expect(files).toEqual(expect.arrayContaining(['firebreak.json', 'ledger.place']));
});

it.each(files)('backup.md says in its table what to do with %s', async (file) => {
  const text = await readFile(join(PROJECT_ROOT, 'docs/backup.md'), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  expect(rows.join('\n')).toContain(`\`${file}\``);
});
