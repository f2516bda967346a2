import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../../protocol/bytes.js';
import { program } from '../program.js';
import { levelSpool, temporaryFolder } from './folder.js';

const APPENDER = new URL('appender.ts', import.meta.url);

/** What the appender said, up to its death after that many lines. */
async function killedAfter(lines: number, dir: string): Promise<string[]> {
  const child = spawn(process.execPath, [program(APPENDER), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const said: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    said.push(line);
    if (said.length === lines) child.kill('SIGKILL');
  }
  expect(await exit).toEqual([null, 'SIGKILL']);
  return said;
}

describe('a spool whose process is killed', () => {
  it.each([1, 12, 57, 400])(
    'holds all that was acknowledged, batches as they were, after %d lines',
    async (lines) => {
      const dir = await temporaryFolder();
      const said = (await killedAfter(lines, dir)).map((line) => line.split(' '));
      const spool = await levelSpool(dir);
      const before = await spool.formed();
      while (await spool.form({ maxItems: 256, maxBytes: 1_048_576 }));
      const batches = await spool.formed();
      const numbers = new Map(
        batches.flatMap(({ ids, entries }) =>
          ids.map((id, k) => [id, new ByteReader(entries[k]?.payload ?? new Uint8Array(4), 'payload').u32()]),
        ),
      );
      for (const [kind, name, rest] of said) {
        if (kind === 'entry') expect(numbers.get(Number(name))).toBe(Number(rest));
        else expect(before.find(({ seq }) => seq === Number(name))?.ids.join(',')).toBe(rest);
      }
      expect(batches.map(({ seq }) => seq)).toEqual(batches.map((_, k) => k + 1));
      expect([...numbers.keys()].sort((a, b) => a - b)).toEqual(
        Array.from({ length: numbers.size }, (_, k) => k),
      );
    },
  );
});
