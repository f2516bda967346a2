/**
 * The whole journey over HCI: six tag processes and two gateway processes on real noble and bleno and BlueZ's controller
 * emulator, with MQTT, ledger and tracer. The emulator measures no signal strength: it is MODELLED from the script of who
 * stands where (cli/air/emulated-rssi.ts). The trace has to be what the script implies.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFolderReader } from '../../cli/parts/ledger.js';
import type { DayKeysOf } from '../../protocol/tag/report-open.js';
import { resolvePeer } from '../../tracer/records/peer.js';
import type { PathStep } from '../../tracer/looks/trace-result.js';
import { runFirebreak } from '../cli/firebreak-process.js';
import { allDayKeys, loggedEntries, openLoggedReports } from '../cli/logged-reports.js';
import type { LoggedReport } from '../cli/logged-reports.js';
import { expectAcknowledgedOnce } from '../journey/acknowledged.js';
import { traceOf } from '../journey/trace-of.js';
import { newBleDeployment } from './ble-deployment.js';
import type { BleDeployment, Walk } from './ble-deployment.js';

/** An epoch takes fifteen seconds. */
const CLOCK_RATE = 60;
const TAGS = [1, 2, 3, 4, 5, 6];
const GATEWAYS = ['hub-1', 'hub-2'];

/** Both meetings last ten minutes. */
const PART = 600;
const GO_HOME = 1_200;
/**
 * 2 meets 1 at the first gateway and then 3 at the second; 4 and 5 meet where no gateway is, and come by one afterwards; 6
 * meets nobody. Whoever does not meet is out of hearing (more than 300 m); at the end all come into reach of a gateway, and
 * some hear each other from afar, which is no contact.
 */
const SCRIPT: readonly Walk[] = [
  { at: 0, who: 'hub-1', x: 0, y: 10 },
  { at: 0, who: 'hub-2', x: 0, y: 1_010 },
  { at: 0, who: '1', x: 0, y: 0 },
  { at: 0, who: '2', x: 0.8, y: 0 },
  { at: 0, who: '3', x: 0, y: 1_000 },
  { at: 0, who: '4', x: 1_000, y: 0 },
  { at: 0, who: '5', x: 1_000, y: 0.8 },
  { at: 0, who: '6', x: -1_000, y: 0 },
  { at: PART, who: '2', x: 0.8, y: 1_000 },
  { at: PART, who: '5', x: 1_000, y: 1_000 },
  { at: GO_HOME, who: '2', x: -200, y: 1_000 },
  { at: GO_HOME, who: '3', x: 200, y: 1_000 },
  { at: GO_HOME, who: '4', x: 200, y: 0 },
  { at: GO_HOME, who: '5', x: -200, y: 0 },
  { at: GO_HOME, who: '6', x: 0, y: 200 },
];
/** Beacons come every ten seconds, a sample is held for ten, and the script is looked at every twelve. */
const SLACK = 45;
/** Of the 600 s of a meeting: what may be missed where an epoch ends, and what the last samples add. */
const MET_SECONDS = { least: 450, most: 600 + SLACK };

let stage: BleDeployment;
let start: number;

beforeAll(async () => {
  stage = await newBleDeployment(CLOCK_RATE);
  await stage.startTheRest();
  const parties = [
    ...GATEWAYS.map((name) => stage.startGateway(name)),
    ...TAGS.map((tag) => stage.startTag(tag)),
  ];
  await Promise.all(parties.map(({ up }) => up));
  await stage.wait('all to be enrolled', async () => {
    const statuses = await Promise.all(TAGS.map((tag) => stage.deployment.tagStatus(tag)));
    return statuses.every(({ isOnAir }) => isOnAir);
  });
  start = await stage.walk(SCRIPT);
}, 180_000);

afterAll(() => stage?.close());

/** The last encounter has closed, 120 s after the epoch in which all went home, and everything is delivered. */
async function allDelivered(): Promise<void> {
  const closedAt = (Math.floor((start + GO_HOME) / 900) + 1) * 900 + 120 + SLACK;
  await stage.wait('the last encounter to close', () => stage.nowSeconds() > closedAt);
  await stage.wait('all to be delivered', () => stage.isQuiet(TAGS, GATEWAYS));
}

/** Seconds at immediate and near that each tag reported of each other, such as `1-2`. */
function nearSeconds(
  reports: readonly LoggedReport[],
  dayKeysOf: DayKeysOf,
): Readonly<Record<string, number>> {
  const seconds: Record<string, number> = {};
  for (const { tag, plaintext } of reports) {
    for (const { peerEphId, start: begun, bucketSeconds } of plaintext.records) {
      const peer = resolvePeer(peerEphId, begun, dayKeysOf)?.tag;
      const near = bucketSeconds[0] + bucketSeconds[1];
      if (peer !== undefined && near > 0) seconds[`${tag}-${peer}`] = (seconds[`${tag}-${peer}`] ?? 0) + near;
    }
  }
  return seconds;
}

function expectWithin(step: PathStep | undefined, from: number, to: number): void {
  expect(step?.start).toBeGreaterThanOrEqual(start + from - SLACK);
  expect(step?.end).toBeLessThanOrEqual(start + to + SLACK);
  expect(step?.mutual).toBe(true);
}

describe('a deployment on Bluetooth', () => {
  it('traces what the script of who walked where implies', async () => {
    await allDelivered();
    const ward = (await traceOf(stage.dir, 1)).result.reached;
    const later = (await traceOf(stage.dir, 3)).result.reached;
    const pair = (await traceOf(stage.dir, 4)).result.reached;
    const alone = (await traceOf(stage.dir, 6)).result.reached;

    expect(ward.map(({ person, hop }) => `${person} at ${hop}`)).toEqual(['2 at 1', '3 at 2']);
    const [first, second] = ward[1]?.path ?? [];
    expect([first?.from, first?.to, second?.to]).toEqual(['1', '2', '3']);
    expectWithin(first, 0, PART);
    expectWithin(second, PART, GO_HOME);
    expect(later.map(({ person }) => person)).toEqual(['2']); // 2 had left 1 by then
    expect(pair.map(({ person }) => person)).toEqual(['5']);
    expectWithin(pair[0]?.path[0], 0, PART);
    expect(alone).toEqual([]);
  }, 120_000);

  it('has every report in the ledger, once, and in them the minutes of the script', async () => {
    const { deployment } = stage;
    await stage.wait('all to be delivered', () => stage.isQuiet(TAGS, GATEWAYS));
    expect(deployment.said()).toContain('signal strengths are modelled, not measured');
    expect(deployment.said()).not.toContain('ERROR');
    const ended = await deployment.stopAll();
    for (const [name, how] of ended) expect(how, name).toEqual({ code: 0, signal: null });
    expect(ended.size).toBe(3 + GATEWAYS.length + TAGS.length);
    const verified = await runFirebreak('ledger', 'verify', '--data-dir', deployment.folder.dir);
    expect(verified, verified.stderr).toMatchObject({ code: 0 });

    const reader = await openFolderReader(deployment.folder, deployment.config);
    const dayKeys = await allDayKeys(deployment.folder);
    const reports = await openLoggedReports(reader, await loggedEntries(reader, deployment.config), dayKeys);
    await reader.close();
    expectAcknowledgedOnce(deployment, TAGS, reports);
    const seconds = nearSeconds(reports, dayKeys);
    expect(Object.keys(seconds).sort()).toEqual(['1-2', '2-1', '2-3', '3-2', '4-5', '5-4']);
    for (const near of Object.values(seconds)) {
      expect(near).toBeGreaterThanOrEqual(MET_SECONDS.least);
      expect(near).toBeLessThanOrEqual(MET_SECONDS.most);
    }
  }, 60_000);
});
