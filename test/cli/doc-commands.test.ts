/** Commands in the documents can be pasted as they stand: they are there, take these options, and a remark begins with #. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { buildProgram } from '../../cli/program.js';

const at = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const CALL = /^ {4,}(?:sudo -u \w+ )?(?:npm run --silent firebreak -- |firebreak )(.+)$/;

const documents = ['README.md', ...readdirSync(at('docs')).map((name) => `docs/${name}`)];
const calls = documents
  .filter((name) => name.endsWith('.md'))
  .flatMap((name) =>
    readFileSync(at(name), 'utf8')
      .split('\n')
      .map((line) => ({ name, line })),
  )
  .flatMap(
    ({ name, line }) =>
      CALL.exec(line)
        ?.slice(1)
        .map((call) => [name, call] as const) ?? [],
  );

it('finds them', () => {
  expect(calls.length).toBeGreaterThan(60);
});

it.each(calls)('in %s: %s', (_document, call) => {
  const words = wordsOf(call);
  const { command, rest } = commandOf(buildProgram(), words);
  expect(command.commands, `${words.join(' ')} is no command`).toEqual([]);
  const operands = operandsOf(command, rest);
  expect(operands.length, `too many arguments: ${operands.join(' ')}`).toBeLessThanOrEqual(
    command.registeredArguments.length,
  );
});

/** Without the remark, what the shell does with the rest of the line, and what stands for more than is written. */
function wordsOf(call: string): string[] {
  const [typed = ''] = call.split(/ +#/);
  const [words = ''] = typed.replace(/"[^"]*"|'[^']*'/g, 'QUOTED').split(/ [>&|]/);
  return words.split(/[ [\]]+/).filter((word) => word !== '' && word !== '…');
}

function commandOf(
  command: Command,
  words: readonly string[],
): { command: Command; rest: readonly string[] } {
  const [name, ...rest] = words;
  const next = command.commands.find((one) => one.name() === name);
  return next === undefined ? { command, rest: words } : commandOf(next, rest);
}

/** What is neither an option nor its value. Fails for an option that the command does not take. */
function operandsOf(command: Command, words: readonly string[]): string[] {
  const operands: string[] = [];
  for (let k = 0; k < words.length; k++) {
    const word = words[k] ?? '';
    if (!word.startsWith('--')) operands.push(word);
    else {
      const option = command.options.find(({ long }) => long === word);
      expect(option, `${command.name()} takes no ${word}`).toBeDefined();
      if (option?.required === true) k += 1;
    }
  }
  return operands;
}
