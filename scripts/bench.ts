/**
 * `npm run bench -- NAME`: compiles the sources into a folder of their own, as a build does, and measures those. What makes
 * Node read TypeScript by itself gives every function a name when it is made, which costs more than some functions do.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compiledIn, compileInto } from '../test/compiled.js';

const MAIN = join(import.meta.dirname, '../bench/main.ts');

const folder = await mkdtemp(join(tmpdir(), 'firebreak-bench-'));
const ignoreInterrupt = (): void => undefined; // the bench ends by itself then, and this after it
process.on('SIGINT', ignoreInterrupt);
try {
  await compileInto(folder);
  const args = [compiledIn(folder, MAIN), ...process.argv.slice(2)];
  const bench = spawn(process.execPath, args, { stdio: 'inherit' });
  process.on('SIGTERM', () => bench.kill());
  const [code] = (await once(bench, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
