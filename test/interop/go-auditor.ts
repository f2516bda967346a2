/** The auditor of test/interop/auditor, built with Debian's Go against Debian's golang.org/x/mod. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requirePackages } from './debian.js';

const run = promisify(execFile);
const GOPATH = '/usr/share/gocode';
const AUDIT_TIMEOUT_MS = 60_000;

export interface Verdict {
  readonly ok: boolean;
  /** What the auditor printed: "ok …" or "not ok: …". */
  readonly said: string;
}

export interface Auditor {
  audit(folder: string, ...vkeys: readonly string[]): Promise<Verdict>;
  /** A tlog-proof file. */
  checkProof(file: string, ...vkeys: readonly string[]): Promise<Verdict>;
}

/** Builds one of the Go programs beside this file into `folder`; gives its path. */
export async function buildGo(name: 'auditor' | 'log', folder: string): Promise<string> {
  await requirePackages([
    { name: 'golang-go', file: '/usr/bin/go' },
    { name: 'golang-golang-x-mod-dev', file: `${GOPATH}/src/golang.org/x/mod/sumdb/tlog/tlog.go` },
  ]);
  const program = join(folder, name);
  const cwd = join(import.meta.dirname, name);
  const env = { ...process.env, GO111MODULE: 'off', GOPATH, GOCACHE: join(folder, 'go-cache'), GOFLAGS: '' };
  await run('/usr/bin/go', ['vet', '.'], { env, cwd });
  await run('/usr/bin/go', ['build', '-o', program, '.'], { env, cwd });
  return program;
}

/** Builds into `folder`. */
export async function buildAuditor(folder: string): Promise<Auditor> {
  const program = await buildGo('auditor', folder);
  const verdict = (...args: readonly string[]): Promise<Verdict> =>
    run(program, args, { timeout: AUDIT_TIMEOUT_MS }).then(
      ({ stdout }) => ({ ok: true, said: stdout.trim() }),
      (error: unknown) => ({ ok: false, said: refusalIn(error) }),
    );
  const keyed = (vkeys: readonly string[]) => vkeys.flatMap((vkey) => ['-vkey', vkey]);
  return {
    audit: (dir, ...vkeys) => verdict(...keyed(vkeys), dir),
    checkProof: (file, ...vkeys) => verdict(...keyed(vkeys), '-proof', file),
  };
}

/** Exit code 1 and words are a verdict; a crash, a time-out or a usage error is none. */
export function refusalIn(error: unknown): string {
  const { code, stderr } = error as { code?: unknown; stderr?: unknown };
  if (code === 1 && typeof stderr === 'string' && stderr.startsWith('not ok: ')) return stderr.trim();
  throw error;
}
