/** `npm run build` takes the place of what was built before only with what compiled, whole. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { PROJECT_ROOT } from './firebreak-process.js';

const SETTINGS = {
  compilerOptions: { outDir: 'dist', rootDir: '.', types: [], strict: true },
  include: ['cli'],
};

let dir: string;
const inDir = (name: string) => join(dir, name);

/** A project of one file that builds as this one does, with what an earlier build left. */
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-build-'));
  for (const shared of ['scripts', 'node_modules', 'package.json'])
    await symlink(join(PROJECT_ROOT, shared), inDir(shared));
  await writeFile(inDir('tsconfig.build.json'), JSON.stringify(SETTINGS));
  await mkdir(inDir('cli'));
  await mkdir(inDir('dist/cli'), { recursive: true });
  await writeFile(inDir('dist/cli/before.js'), 'of the build before');
  return () => rm(dir, { recursive: true, force: true });
});

async function build(source: string): Promise<{ readonly status: number | null; readonly stdout: string }> {
  await writeFile(inDir('cli/main.ts'), source);
  const { scripts } = JSON.parse(await readFile(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
    scripts: { build: string };
  };
  const PATH = [join(PROJECT_ROOT, 'node_modules/.bin'), process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH };
  return spawnSync(scripts.build, { cwd: dir, env, shell: true, encoding: 'utf8' });
}

const builds = async () => (await readdir(dir)).filter((name) => name.startsWith('dist'));

describe('a build', () => {
  it('leaves what was built before when it fails, and nothing else', async () => {
    const { status, stdout } = await build('export const size: number = "many";\n');
    expect(stdout).toContain('cli/main.ts(1,14): error TS2322');
    expect(status).not.toBe(0);
    expect(await readdir(inDir('dist/cli'))).toEqual(['before.js']);
    expect(await builds()).toEqual(['dist']);
  });

  it('that succeeds takes its place, whatever an earlier one left half done', async () => {
    await mkdir(inDir('dist.new/cli'), { recursive: true });
    await writeFile(inDir('dist.new/cli/half.js'), 'of a build that was killed');
    expect((await build('export const size = 1;\n')).status).toBe(0);
    expect(await readdir(inDir('dist/cli'))).toEqual(['main.js']);
    expect(await builds()).toEqual(['dist']);
  });

  it('needs none before it', async () => {
    await rm(inDir('dist'), { recursive: true });
    expect((await build('export const size = 1;\n')).status).toBe(0);
    expect(await builds()).toEqual(['dist']);
  });
});
