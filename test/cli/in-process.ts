/** `firebreak` without a process of its own: the same commands, exit code and words, for what needs no more. */
import { stripVTControlCharacters } from 'node:util';
import { vi } from 'vitest';
import { describeError, exitCodeOf } from '../../cli/exit.js';
import { buildProgram } from '../../cli/program.js';

export interface Attempt {
  readonly code: number;
  /** All it said, without colours. */
  readonly text: string;
}

export async function attempt(...args: readonly string[]): Promise<Attempt> {
  const said: string[] = [];
  const catchWrite = (text: unknown): boolean => said.push(String(text)) > 0;
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(catchWrite),
    vi.spyOn(process.stderr, 'write').mockImplementation(catchWrite),
    vi.spyOn(console, 'log').mockImplementation((text) => void said.push(`${String(text)}\n`)),
  ];
  let code = 0;
  try {
    await buildProgram().parseAsync(['node', 'firebreak', ...args]);
  } catch (error) {
    code = exitCodeOf(error);
    said.push(describeError(error, false));
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return { code, text: stripVTControlCharacters(said.join('')) };
}
