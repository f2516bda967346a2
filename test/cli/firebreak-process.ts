/** `firebreak` as people run it: a process of its own. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { FIREBREAK, program } from '../program.js';

export const PROJECT_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Node starts slowly when all cores are busy. */
const PATIENCE_MS = 120_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Finished extends Ended {
  readonly stdout: string;
  readonly stderr: string;
}

export interface FirebreakProcess {
  readonly name: string;
  readonly child: ChildProcess;
  /** What it has said so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when stdout or stderr holds `text`. Throws, with what was said, when it ends first or takes too long. */
  says(text: string): Promise<void>;
  readonly ended: Promise<Ended>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts `firebreak ARGS`. Whoever starts it ends it. */
export function startFirebreak(args: readonly string[], name = args.slice(0, 2).join(' ')): FirebreakProcess {
  const child = spawn(process.execPath, [program(FIREBREAK), ...args], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  const isEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    name,
    child,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    ended,
    says: async (text) => {
      await until(`${name} to say “${text}”`, () => {
        if (said.stdout.includes(text) || said.stderr.includes(text)) return true;
        if (isEnded()) throw new Error(`${name} ended without “${text}”:\n${said.stdout}${said.stderr}`);
        return undefined;
      });
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs `firebreak ARGS` to its end. */
export async function runFirebreak(...args: readonly string[]): Promise<Finished> {
  const run = startFirebreak(args);
  const ended = await run.ended;
  return { ...ended, stdout: run.stdout(), stderr: run.stderr() };
}

/** Looks every few ms until `look` gives something. Throws when it takes too long. */
export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  { patienceMs = PATIENCE_MS, everyMs = 50 }: { patienceMs?: number; everyMs?: number } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited ${patienceMs / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
