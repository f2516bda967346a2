/** Go programs on other people's C2SP libraries, built with Go and libraries from forky.ts. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { forky } from './forky.js';

const run = promisify(execFile);
const BUILD_TIMEOUT_MS = 400_000;

/**
 * Builds the program of ours in the folder beside this file, or somebody else's by its import path, into `folder`; gives the
 * program's path. The first build on a machine takes about a minute.
 */
export async function buildOnForky(what: 'reader' | `github.com/${string}`, folder: string): Promise<string> {
  const { root, go, goCache } = await forky();
  const goRoot = join(root, 'usr/lib', `go-${go}`);
  const env = {
    ...process.env,
    GOROOT: goRoot,
    GOPATH: join(root, 'usr/share/gocode'),
    GOCACHE: goCache,
    GO111MODULE: 'off', // Debian's packages are sources in a GOPATH
    GOTOOLCHAIN: 'local',
    GOFLAGS: '',
    CGO_ENABLED: '0',
  };
  const program = join(folder, what.split('/').at(-1) ?? what);
  const isOurs = what === 'reader';
  const options = { env, timeout: BUILD_TIMEOUT_MS, ...(isOurs && { cwd: join(import.meta.dirname, what) }) };
  const tool = join(goRoot, 'bin/go');
  if (isOurs) await run(tool, ['vet', '.'], options);
  await run(tool, ['build', '-o', program, isOurs ? '.' : what], options);
  return program;
}
