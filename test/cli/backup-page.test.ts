/** The page on copies knows every file of a data folder that belongs to no party's part: without them a party put back is none. */
import { readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { folderAt, gatewayFolder } from '../../cli/folder/folder.js';
import { PROJECT_ROOT } from './firebreak-process.js';

/** The folder itself, and what processes say there while they run. */
const NO_FILES = ['dir', 'run'];
const folder = folderAt('/data');
const files = Object.entries(folder).flatMap(([what, path]) =>
  typeof path === 'string' && !NO_FILES.includes(what) ? [basename(path)] : [],
);

it('there are such files', () => {
  expect(files).toEqual(expect.arrayContaining(['firebreak.json', 'ledger.place']));
});

it.each(files)('backup.md says in its table what to do with %s', async (file) => {
  expect((await rowsOf('backup.md')).join('\n')).toContain(`\`${file}\``);
});

/** An authority put back without them renews no gateway of another machine. */
it('the approvals of gateways are kept, and are on the machine of the authority', async () => {
  const approvals = `\`${relative(folder.dir, gatewayFolder(folder, '*').publicKey)}\``;
  expect((await rowsOf('backup.md')).join('\n')).toContain(
    `| ${approvals}, on the authority's machine | when one is approved |`,
  );
  const [authority] = (await rowsOf('apart.md')).filter((row) => row.startsWith('| authority '));
  expect(authority).toContain(approvals);
});

async function rowsOf(page: string): Promise<string[]> {
  const text = await readFile(join(PROJECT_ROOT, 'docs', page), 'utf8');
  return text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((row) => row.replace(/ +/g, ' '));
}
