/**
 * The sources compiled into a folder, for benchmarks and for tests that start processes: one that reads TypeScript by itself takes
 * three times as long to start. What was compiled once is kept by the hash of its source, so that a run compiles what has changed.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const KEPT = join(ROOT, 'node_modules/.cache/compiled');
const ROOMS = [
  'protocol',
  'host',
  'radio',
  'firmware-sim',
  'courier',
  'gateway',
  'ledger',
  'witness',
  'tracer',
  'authority',
  'cli',
  'bench',
  'test',
];
/** Vitest reads these itself. */
const TEST_FILE = /\.(test|ble|interop)\.ts$/;

const OPTIONS = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2023,
  verbatimModuleSyntax: true,
};

/** Compiles every room and what tests are made of into `folder`, which is empty: there each lies as below the root. */
export async function compileInto(folder: string): Promise<void> {
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await mkdir(KEPT, { recursive: true });
  const names = await Promise.all(ROOMS.map((room) => sourcesOf(join(ROOT, room))));
  for (const name of names.flat()) {
    const compiled = await compile(await readFile(name, 'utf8'));
    const target = compiledIn(folder, name);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, compiled);
  }
}

/** Where a source lies in a folder that was compiled into. */
export const compiledIn = (folder: string, source: string): string =>
  join(folder, relative(ROOT, source).replace(/\.ts$/, '.js'));

async function compile(source: string): Promise<string> {
  const hash = createHash('sha256')
    .update(JSON.stringify([ts.version, OPTIONS, source]))
    .digest('hex');
  const kept = join(KEPT, `${hash}.js`);
  const known = await readFile(kept, 'utf8').catch(() => undefined);
  if (known !== undefined) return known;
  const { outputText } = ts.transpileModule(source, { compilerOptions: OPTIONS });
  const draft = join(KEPT, `${randomUUID()}.draft`); // another run may compile the same
  await writeFile(draft, outputText);
  await rename(draft, kept);
  return outputText;
}

async function sourcesOf(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true });
  return files
    .filter((name) => name.endsWith('.ts') && !TEST_FILE.test(name))
    .map((name) => join(folder, name));
}
