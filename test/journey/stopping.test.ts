/** However a deployment falls apart, each party ends when it is asked to, and says why when it ends by itself. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newDeployment, untilIn } from './deployment.js';
import type { Deployment } from './deployment.js';

const CLOCK_RATE = 90;
const ENDED_WELL = { code: 0, signal: null };

let dir: string;
let deployment: Deployment;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-stopping-'));
  deployment = await newDeployment(join(dir, 'data'), '2026-03-02T08:00', CLOCK_RATE);
  const started = [
    deployment.start('ledger', 'ledger', 'run'),
    deployment.start('air', 'air', 'run'),
    deployment.start('authority', 'authority', 'run'),
    deployment.start('gateway', 'gateway', 'run'),
    deployment.start('tracer', 'tracer', 'run'),
    deployment.start('tag', 'tag', 'run', '--number', '7'),
  ];
  await Promise.all(started.map(({ up }) => up));
});

afterEach(async () => {
  await deployment?.killAll();
  await rm(dir, { recursive: true, force: true });
});

describe('stopping', () => {
  it('takes seconds also when the ledger was killed before', async () => {
    await deployment.kill('ledger');
    await untilIn(deployment, 'the gateway to notice', async () => {
      const { courier } = await deployment.gatewayStatus();
      return !courier.online;
    });
    const ended = await deployment.stopAll();
    expect([...ended.keys()].sort()).toEqual(['air', 'authority', 'gateway', 'tag', 'tracer']);
    for (const [name, how] of ended) expect(how, name).toEqual(ENDED_WELL);
  });

  it('is what gateway and tag do, with a word on why, when the air is killed', async () => {
    const said = await Promise.all([
      deployment.endsAfter('gateway', () => deployment.kill('air')),
      deployment.endsAfter('tag', async () => undefined),
    ]);
    expect(said.map(({ code }) => code)).toEqual([1, 1]);
    expect(said[0]?.stderr).toContain('the air is gone; start it and the gateway again');
    expect(said[1]?.stderr).toContain('the air is gone; start it and the tag again');
    const ended = await deployment.stopAll();
    expect([...ended.keys()].sort()).toEqual(['authority', 'ledger', 'tracer']);
    for (const [name, how] of ended) expect(how, name).toEqual(ENDED_WELL);
  });
});
