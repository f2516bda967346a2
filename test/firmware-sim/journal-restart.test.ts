import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openFileJournal } from '../../firmware-sim/tag/sample-journal-file.js';
import { sampleAt } from './samples.js';
import { testAuthority } from './test-authority.js';
import { afterKill, testTag } from './test-tag.js';
import type { TestTag } from './test-tag.js';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const EPOCH_MS = 900_000;
const authority = testAuthority();

/** A tag with a folder for its journal; starts it again as after a kill. */
async function stage() {
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tag = await testTag(authority, { days: 7 });
  const started = () => {
    const journal = openFileJournal(folder);
    onTestFinished(() => journal.close());
    const made = afterKill(tag, journal);
    made.device.restart();
    return made.device;
  };
  const spoil = (epoch: number): void =>
    writeFileSync(join(folder, `heard-${epoch}.log`), Buffer.alloc(80), { mode: 0o600 });
  return { tag, folder, started, spoil };
}

const epochOf = ({ nowMs }: TestTag) => Math.floor(nowMs / EPOCH_MS);

describe('a journal of which no record comes', () => {
  it('is forgotten at a start when its records would have closed by then', async () => {
    const { tag, folder, started, spoil } = await stage();
    spoil(100);
    spoil(epochOf(tag) - 2);
    expect(started().status().spoilt).toBe(4);
    tag.nowMs += HOUR;
    expect(started().status().spoilt).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('of the present epoch stays until they would have closed, and the start after finds it gone', async () => {
    const { tag, folder, started, spoil } = await stage();
    spoil(epochOf(tag));
    const device = started();
    const closesMs = (epochOf(tag) + 1) * EPOCH_MS + 2 * MINUTE;
    tag.nowMs = closesMs - 1;
    device.tick();
    expect(readdirSync(folder)).toHaveLength(1);
    tag.nowMs = closesMs;
    device.tick();
    expect(readdirSync(folder)).toEqual([]);
    expect(device.status()).toMatchObject({ open: 0, waiting: 0 });
    expect(started().status().spoilt).toBe(0);
  });

  it('stays while the tag does not know the time', async () => {
    const { tag, folder, started, spoil } = await stage();
    spoil(100);
    tag.hostErrorMs = -5 * HOUR;
    expect(started().isClockLost).toBe(true);
    expect(readdirSync(folder)).toEqual(['heard-100.log']);
    tag.hostErrorMs = 0;
    started();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('beside one whose records are open leaves those alone', async () => {
    const { tag, folder, started, spoil } = await stage();
    spoil(100);
    const journal = openFileJournal(folder);
    for (const second of [0, 1, 2]) journal.append(epochOf(tag), sampleAt(tag.nowMs + second * 1000));
    journal.close();
    tag.nowMs += MINUTE;
    expect(started().status()).toMatchObject({ open: 1, spoilt: 2 });
    expect(readdirSync(folder)).toEqual([`heard-${epochOf(tag)}.log`]);
  });
});
