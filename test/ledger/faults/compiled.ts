/** Compiles what a child process needs into a folder, once: compiling at each start would take longer than the child lives. */
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const ROOMS = ['protocol', 'radio', 'courier', 'ledger', 'test/ledger'];

const OPTIONS = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };

/** Compiles `file`, a module of test/ledger, and all it can import into `folder`; gives where it is then. */
export async function compileInto(folder: string, file: string): Promise<string> {
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const names = await Promise.all(ROOMS.map((room) => sourcesOf(join(ROOT, room))));
  for (const name of names.flat()) {
    const { outputText } = ts.transpileModule(await readFile(name, 'utf8'), { compilerOptions: OPTIONS });
    const target = compiledName(folder, name);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, outputText);
  }
  return compiledName(folder, file);
}

const compiledName = (folder: string, source: string): string =>
  join(folder, relative(ROOT, source).replace(/\.ts$/, '.js'));

async function sourcesOf(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true });
  return files
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(folder, name));
}
