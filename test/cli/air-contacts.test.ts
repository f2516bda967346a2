/** Recorded contacts are played only where their seconds come out right and their time is still to come. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callOf } from '../../cli/terminal/how-called.js';
import { FIREBREAK, program } from '../program.js';
import { runFirebreak, startFirebreak } from './firebreak-process.js';
import { attempt } from './in-process.js';

let dir: string;
let file: string;
let data: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-air-'));
  [file, data] = [join(dir, 'contacts'), join(dir, 'data')];
  await writeFile(file, '20 1 2\n40 1 2\n');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** As a process of {@link runFirebreak} was called itself. */
const asCalled = (args: string): string => callOf(args, process.env, program(FIREBREAK));

/** What `air run` says until it is up. */
async function untilUp(): Promise<string> {
  const air = startFirebreak(['air', 'run', '--data-dir', data, '--contacts', file]);
  try {
    await air.says('the air is up');
    return air.stdout() + air.stderr();
  } finally {
    await air.kill();
  }
}

describe('an air of recorded contacts', () => {
  it('is refused on a folder with the settings of live tags', async () => {
    await attempt('authority', 'init', '--data-dir', data);
    const { code, stderr } = await runFirebreak('air', 'run', '--data-dir', data, '--contacts', file);
    expect(stderr).toContain(`make the folder with ${asCalled('authority init --replay')}`);
    expect(code).toBe(2);
    expect(await readdir(join(data, 'run'))).toEqual([]);
  });

  it('says when all of it is past, and which clock would fit', async () => {
    await attempt('authority', 'init', '--replay', '--data-dir', data);
    expect(await untilUp()).toContain(
      `nothing of it is played: make the folder with ${asCalled('authority init --replay --clock-start 2023-11-14T23:00:00Z')}`,
    );
  });

  it('is played without a word under a clock that fits', async () => {
    await attempt(
      ...['authority', 'init', '--replay', '--data-dir', data],
      ...['--clock-start', '2023-11-14T23:00:00Z'],
    );
    expect(await untilUp()).not.toContain('nothing of it is played');
  });
});
