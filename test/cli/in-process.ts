/** `firebreak` without a process of its own: the same commands, exit code and words, for what needs no more. */
import { stripVTControlCharacters } from 'node:util';
import { vi } from 'vitest';
import { describeError, exitCodeOf } from '../../cli/terminal/exit.js';
import { buildProgram } from '../../cli/program.js';

export interface Attempt {
  readonly code: number;
  /** All it said, without colours. */
  readonly text: string;
  readonly stdout: string;
  readonly stderr: string;
}

export async function attempt(...args: readonly string[]): Promise<Attempt> {
  const said: { readonly where: 'stdout' | 'stderr'; readonly text: string }[] = [];
  const catchAt =
    (where: 'stdout' | 'stderr') =>
    (text: unknown): boolean =>
      said.push({ where, text: String(text) }) > 0;
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(catchAt('stdout')),
    vi.spyOn(process.stderr, 'write').mockImplementation(catchAt('stderr')),
    vi.spyOn(console, 'log').mockImplementation((text) => void catchAt('stdout')(`${String(text)}\n`)),
  ];
  let code = 0;
  try {
    await buildProgram().parseAsync(['node', 'firebreak', ...args]);
  } catch (error) {
    code = exitCodeOf(error);
    catchAt('stderr')(describeError(error, false));
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  const textOf = (some: typeof said): string =>
    stripVTControlCharacters(some.map(({ text }) => text).join(''));
  return {
    code,
    text: textOf(said),
    stdout: textOf(said.filter(({ where }) => where === 'stdout')),
    stderr: textOf(said.filter(({ where }) => where === 'stderr')),
  };
}
