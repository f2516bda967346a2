/** Compiles into dist.new, and puts that in the place of dist once all of it compiled: a build that fails leaves dist as it was. */
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';

const BUILT = 'dist';
const NEW = 'dist.new';
const OLD = 'dist.old';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const remove = (dir: string): void => rmSync(dir, { recursive: true, force: true });

function compile(): number {
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', NEW];
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
}

function swap(): void {
  remove(OLD);
  if (existsSync(BUILT)) renameSync(BUILT, OLD);
  renameSync(NEW, BUILT);
  remove(OLD);
}

remove(NEW); // of a build that was killed
try {
  process.exitCode = compile();
  if (process.exitCode === 0) swap();
} finally {
  remove(NEW);
}
