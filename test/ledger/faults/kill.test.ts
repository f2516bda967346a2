import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { program } from '../../program.js';
import { memoryFolder } from './fault-sweep.js';
import { killSuite } from './kill-rounds.js';

const CHILD = new URL('./kill-child.ts', import.meta.url);
const KILLS = 18;
const AT_ONCE = 3;

test('killed at any point of its life under load, a ledger has all it acknowledged, once, and is sound', async () => {
  const base = await mkdtemp(join(memoryFolder(), 'firebreak-kill-'));
  onTestFinished(() => rm(base, { recursive: true, force: true }));
  const { figures, round } = await killSuite(base, program(CHILD));
  const phases = (): number => Object.keys(figures.phases).length;
  while (figures.kills < KILLS || (phases() < 4 && figures.kills < 3 * KILLS)) await round(AT_ONCE);
  expect(figures).toMatchObject({ lost: [], twice: [], unsound: [] });
  expect(figures.acknowledged).toBeGreaterThan(KILLS);
  expect(phases()).toBeGreaterThan(3);
});
