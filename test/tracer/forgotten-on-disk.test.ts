/** What leaves retention goes from the files of a small place too, where it takes weeks until there is much to save. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../protocol/log.js';
import { TILE_WIDTH } from '../../protocol/tlog/tile.js';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import { memoryCheckpointStore } from '../../tracer/follow/checkpoint-store.js';
import { openContactStore } from '../../tracer/contacts/open-contact-store.js';
import { epochAt, gatewayEntry, keysOf, NOON, presenceOf, presenceReportOf, recordOf, reportOf } from './deployment.js'; // prettier-ignore
import { MemoryLog } from './memory-log.js';
import { tracerOn } from './tracer-on.js';

const DAY = dayOf(NOON);
const MIDNIGHT = (DAY + 1) * DAY_SECONDS;

async function openStage() {
  const dir = await mkdtemp(join(tmpdir(), 'forgotten-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const log = new MemoryLog();
  log.nowMs = (NOON + 7200) * 1000;
  const checkpoints = memoryCheckpointStore();
  const open = async () =>
    tracerOn(log, {
      ...{ checkpoints, dayKeys: keysOf([DAY]) },
      contacts: await openContactStore(join(dir, 'contacts'), { log: silentLog }),
    });
  const manifest = () => readFile(join(dir, 'contacts', 'manifest.json'), 'utf8');
  const names = async (): Promise<string[]> =>
    [...(await manifest()).matchAll(/"name": "([^"]*)"/g)].map(([, name]) => name ?? '');
  return { log, open, manifest, names };
}

test('a day that leaves retention is gone from the files once the tracer has read that far', async () => {
  const { log, open, names } = await openStage();
  log.append(gatewayEntry());
  log.append(presenceReportOf([presenceOf(1, NOON, 300)]));
  const nearMidnight = recordOf(2, MIDNIGHT - 30, 90, epochAt(MIDNIGHT));
  log.append(reportOf({ tag: 1, records: [recordOf(3, NOON, 600), nearMidnight] }));
  const first = await open();
  await first.catchUp();
  await first.close();
  const ofThatDay = [`presence/${DAY}`, `presence-reports/${DAY}`, expect.stringMatching(/^midnight\//)];
  expect(await names()).toEqual(expect.arrayContaining(ofThatDay));
  const tracer = await open();
  onTestFinished(() => tracer.close());
  await tracer.catchUp();
  for (let day = 1; day <= 22; day++) {
    log.passTo((NOON + 7200 + day * DAY_SECONDS) * 1000);
    await tracer.catchUp();
  }
  expect((await names()).filter((name) => /^(presence|presence-reports|midnight)\b/.test(name))).toEqual([]);
});

test('it is gone too where reading fails just then, and the tracer is closed', async () => {
  const { log, open, names } = await openStage();
  const nearMidnight = recordOf(2, MIDNIGHT - 30, 90, epochAt(MIDNIGHT));
  log.append(reportOf({ tag: 1, records: [recordOf(3, NOON, 600), nearMidnight] }));
  const tracer = await open();
  for (let day = 1; day <= 21; day++) {
    log.passTo((NOON + 7200 + day * DAY_SECONDS) * 1000);
    await tracer.catchUp();
  }
  expect(await names()).toContainEqual(expect.stringMatching(/^midnight\//));
  log.passTo(log.nowMs + DAY_SECONDS * 1000);
  log.fill(TILE_WIDTH - log.entries.length);
  log.append(reportOf({ tag: 1, seq: 1, records: [] }));
  log.failing = { call: 'payloads', error: new Error('no answer') };
  await expect(tracer.catchUp()).rejects.toThrow('no answer');
  await tracer.close();
  expect((await names()).filter((name) => name.startsWith('midnight/'))).toEqual([]);
});

test('nothing is saved again before the next day ends', async () => {
  const { log, open, manifest } = await openStage();
  log.append(reportOf({ tag: 1, records: [recordOf(2, NOON, 900)] }));
  const tracer = await open();
  onTestFinished(() => tracer.close());
  await tracer.catchUp();
  log.passTo(log.nowMs + DAY_SECONDS * 1000);
  await tracer.catchUp();
  const saved = await manifest();
  expect(saved).toContain('"size": 2');
  log.fill(3);
  await tracer.catchUp();
  await tracer.catchUp();
  expect(await manifest()).toBe(saved);
});
