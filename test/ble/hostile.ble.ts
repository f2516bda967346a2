/**
 * Someone with a radio and bad intentions, over real noble and bleno on BlueZ's controller emulator: whatever is done to
 * the gateway and on the air, nobody crashes, memory stays bounded, and the honest tags' reports still arrive.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFolderReader } from '../../cli/parts/ledger.js';
import { liveClock } from '../../host/clock-live.js';
import { FirebreakError } from '../../protocol/errors.js';
import { bytesOf } from '../../protocol/tlog/ledger-reader.js';
import { silentLog } from '../../protocol/log.js';
import { encodeUploadHeader, uploadWrites } from '../../protocol/session/upload.js';
import { openBleRadio } from '../../radio/ble/open-ble-radio.js';
import type { Characteristic, Link, Radio } from '../../radio/contract.js';
import { writeAtomically } from '../../cli/files/atomic-file.js';
import { runFirebreak } from '../cli/firebreak-process.js';
import { allDayKeys, loggedEntries, openLoggedReports } from '../cli/logged-reports.js';
import { newBleDeployment } from './ble-deployment.js';
import type { BleDeployment } from './ble-deployment.js';
import { floodAir } from './hostile-advertiser.js';
import { connectRaw } from './raw-client.js';

const CLOCK_RATE = 90;
const TAGS = [1, 2];
const HUB = 'hub-1';
const CHARACTERISTICS: readonly Characteristic[] = ['hello', 'upload', 'receipt', 'refresh'];
const CONNECTS = 50;
const FAKES_PER_SECOND = 2_000;
const FLOOD_MS = 20_000;
/** The one address of the hostile advertiser that the modelled signal strengths know of: its adverts count as heard. */
const LOUD = 'c0bad0bad0ba';
const MAX_MEMORY_MB = 400;
const MAX_GROWTH_MB = 150;

let stage: BleDeployment;
let hostile: Radio;
let hub: string;

const receipted = () => TAGS.map((tag) => stage.deployment.tag(tag)?.chain.nextSeq ?? 0);
const gateway = async () => (await stage.deployment.gatewayStatus(HUB)).gateway;

/** Each tag gets a receipt for something that it had not when this was called. */
async function everyTagDelivers(): Promise<void> {
  const before = receipted();
  await stage.wait('a delivery of every tag', () =>
    receipted().every((count, at) => count > (before[at] ?? 0)),
  );
}

/** The gateway may be busy with an honest tag. */
async function connected(): Promise<Link> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await hostile.central.connect(hub);
    } catch (error) {
      if (tries === 20) throw error;
      await pause(200);
    }
  }
}

/** The report that was logged last, as it was sent. */
async function newestReport(): Promise<Uint8Array> {
  const { folder, config } = stage.deployment;
  const reader = await openFolderReader(folder, config);
  const entries = await loggedEntries(reader, config);
  const newest = (await openLoggedReports(reader, entries, await allDayKeys(folder))).at(-1);
  const entry = entries.find(({ index }) => index === newest?.index);
  const [payload] = await reader.payloads(entry === undefined ? [] : [entry.payloadSha256]);
  await reader.close();
  const report = bytesOf(payload) ?? new Uint8Array(0);
  expect(report.length).toBeGreaterThan(200);
  return report;
}

/** Uploads it whole, unless the epoch ends meanwhile and the link with it. */
async function bring(report: Uint8Array): Promise<void> {
  const link = await connected();
  try {
    await link.subscribe('receipt', () => undefined);
    for (const piece of uploadWrites(report, link.payloadBytes)) await link.write('upload', piece);
  } catch (error) {
    if (codeOf(error) !== 'closed') throw error;
  } finally {
    await link.close();
  }
}

const codeOf = (error: unknown): string => (error instanceof FirebreakError ? error.code : String(error));

async function addressOf(name: string): Promise<string> {
  const file = join(stage.deployment.folder.run, 'emulated', `${name}.json`);
  return (JSON.parse(await readFile(file, 'utf8')) as { readonly address: string }).address;
}

/** Resident memory of a party, MB. */
async function memoryOf(party: string): Promise<number> {
  const text = await readFile(`/proc/${stage.deployment.pidOf(party)}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1]) / 1024;
}

beforeAll(async () => {
  stage = await newBleDeployment(CLOCK_RATE);
  await stage.startTheRest();
  await Promise.all([stage.startGateway(HUB), ...TAGS.map((tag) => stage.startTag(tag))].map(({ up }) => up));
  await stage.walk([
    { at: 0, who: HUB, x: 0, y: 5 },
    { at: 0, who: '1', x: 0, y: 0 },
    { at: 0, who: '2', x: 0.8, y: 0 },
    { at: 0, who: 'loud', x: 0, y: 1 },
  ]);
  const adapter = { kind: 'unix', path: stage.emulator.socket } as const;
  const own = { scanAdapter: adapter, advertiseAdapter: adapter, stack: 'abandonware' } as const;
  hostile = await openBleRadio({ ...own, clock: liveClock(), log: silentLog });
  hub = await addressOf(HUB);
  await everyTagDelivers();
}, 180_000);

afterAll(async () => {
  await hostile?.close();
  await stage?.close();
});

describe('a hostile client of a gateway on Bluetooth', () => {
  it('may write garbage to every attribute', async () => {
    let link = await connected();
    const answered = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      for (const characteristic of CHARACTERISTICS) {
        const garbage = randomBytes(1 + Math.floor(Math.random() * (link.payloadBytes - 1)));
        const outcome = await link.write(characteristic, garbage).then(() => 'taken', codeOf);
        if (outcome === 'closed' || outcome === 'timeout') link = await connected();
        else answered.add(characteristic);
      }
    }
    await link.close();
    expect([...answered].sort()).toEqual([...CHARACTERISTICS].sort());
    await everyTagDelivers();
  }, 120_000);

  it('may send what is no attribute protocol at all', async () => {
    let met = 0;
    for (let tries = 0; met < 5 && tries < 50; tries += 1) {
      const client = await connectRaw(stage.emulator.socket, hub).catch(() => undefined);
      if (client === undefined) continue;
      met += 1;
      for (let packet = 0; packet < 40; packet += 1) client.send(randomBytes(1 + (packet % 27)));
      await pause(50);
      client.close();
    }
    expect(met).toBe(5);
    await everyTagDelivers();
  }, 120_000);

  it('may announce a report of four gigabytes: it is refused', async () => {
    const link = await connected();
    const header = encodeUploadHeader({ totalBytes: 0xffff_ffff, reportHash: randomBytes(32) });
    await expect(link.write('upload', header)).rejects.toMatchObject({ name: 'FirebreakError' });
    await link.close();
    await everyTagDelivers();
  }, 120_000);

  it('may begin an upload and never end it: it is disconnected, and the others have their turn', async () => {
    const link = await connected();
    await link.write('upload', encodeUploadHeader({ totalBytes: 4_000, reportHash: randomBytes(32) }));
    await link.closed;
    await everyTagDelivers();
  }, 120_000);

  it('may bring the report of another session: it is refused, and in the ledger once', async () => {
    const refused = async () => (await gateway()).reportsRefused['session'] ?? 0;
    const [before, acceptedBefore] = [await refused(), (await gateway()).reportsAccepted];
    expect(acceptedBefore).toBeGreaterThan(0);
    await stage.wait('the refusal', async () => {
      await bring(await newestReport()); // one of an earlier epoch is refused for that
      return (await refused()) > before;
    });
    await everyTagDelivers();
  }, 120_000);

  it(`may connect ${CONNECTS} times in a row`, async () => {
    let made = 0;
    for (let tries = 0; made < CONNECTS && tries < 4 * CONNECTS; tries += 1) {
      const link = await hostile.central.connect(hub).catch(() => undefined);
      if (link === undefined) continue;
      made += 1;
      await link.close();
    }
    expect(made).toBe(CONNECTS);
    await everyTagDelivers();
  }, 120_000);
});

describe('a hostile advertiser', () => {
  it(`may send ${FAKES_PER_SECOND} beacons a second, well-formed and malformed: memory stays bounded`, async () => {
    const announced = JSON.stringify({ name: 'loud', address: LOUD, txPowerDbm: -8 });
    await writeAtomically(join(stage.deployment.folder.run, 'emulated', 'loud.json'), announced);
    const parties = [HUB, ...TAGS.map((tag) => `tag ${tag}`)];
    const before = await Promise.all(parties.map(memoryOf));
    const heardBefore = (await stage.deployment.tagStatus(1)).heard;
    const known = await floodAir(stage.emulator.socket, FAKES_PER_SECOND / 2, () => LOUD);
    const unknown = await floodAir(stage.emulator.socket, FAKES_PER_SECOND / 2);
    await Promise.all([everyTagDelivers(), pause(FLOOD_MS)]);
    const after = await Promise.all(parties.map(memoryOf));
    const heard = (await stage.deployment.tagStatus(1)).heard - heardBefore;
    await Promise.all([known.stop(), unknown.stop()]);
    expect(known.sent() + unknown.sent()).toBeGreaterThan((FAKES_PER_SECOND * FLOOD_MS) / 1000 / 2);
    expect(heard).toBeGreaterThan(FLOOD_MS / 10); // the flood did reach the tag
    after.forEach((megabytes, at) => {
      expect(megabytes, parties[at]).toBeLessThan(MAX_MEMORY_MB);
      expect(megabytes - (before[at] ?? 0), parties[at]).toBeLessThan(MAX_GROWTH_MB);
    });
    await everyTagDelivers();
  }, 180_000);
});

describe('after all that', () => {
  it('nobody has crashed, and every report that was acknowledged is in the ledger, once', async () => {
    const { deployment } = stage;
    await stage.wait('all to be delivered', () => stage.isQuiet(TAGS, [HUB]));
    const ended = await deployment.stopAll();
    for (const [name, how] of ended) expect(how, name).toEqual({ code: 0, signal: null });
    expect(ended.size).toBe(4 + TAGS.length);
    const verified = await runFirebreak('ledger', 'verify', '--data-dir', deployment.folder.dir);
    expect(verified, verified.stderr).toMatchObject({ code: 0 });
    const reader = await openFolderReader(deployment.folder, deployment.config);
    const entries = await loggedEntries(reader, deployment.config);
    const reports = await openLoggedReports(reader, entries, await allDayKeys(deployment.folder));
    await reader.close();
    expect(new Set(reports.map(({ hash }) => hash)).size).toBe(reports.length);
    expect(reports.every(({ tag }) => TAGS.includes(tag))).toBe(true);
  }, 120_000);
});
