/**
 * What breaks on the air and at its ends, over real noble and bleno on BlueZ's controller emulator: each fault is followed
 * by a delivery of every tag, and in the end every report is in the ledger, once.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFolderReader } from '../../cli/parts/ledger.js';
import { runFirebreak } from '../cli/firebreak-process.js';
import { allDayKeys, loggedEntries, openLoggedReports } from '../cli/logged-reports.js';
import { expectAcknowledgedOnce } from '../journey/acknowledged.js';
import { newBleDeployment } from './ble-deployment.js';
import type { BleDeployment } from './ble-deployment.js';
import { openFaultyWire } from './faulty-wire.js';
import type { FaultyWire } from './faulty-wire.js';

/** An epoch takes ten seconds; every tag has a report for each. */
const CLOCK_RATE = 90;
const TAGS = [1, 2];
const HUB = 'hub-1';

let stage: BleDeployment;
/** Of the adapters with which the tags connect, and of the one at which the gateway serves. */
let wires: { readonly one: FaultyWire; readonly two: FaultyWire; readonly hub: FaultyWire };

const startTag = (tag: number) =>
  stage.startTag(tag, [tag === 1 ? wires.one.adapter : wires.two.adapter, stage.adapter]);
const startHub = () => stage.startGateway(HUB, [stage.adapter, wires.hub.adapter]);
const receipted = () => TAGS.map((tag) => stage.deployment.tag(tag)?.chain.nextSeq ?? 0);

/** Each tag gets a receipt for something that it had not when this was called. */
async function everyTagDelivers(): Promise<void> {
  const before = receipted();
  await stage.wait('a delivery of every tag', () =>
    receipted().every((count, at) => count > (before[at] ?? 0)),
  );
}

beforeAll(async () => {
  stage = await newBleDeployment(CLOCK_RATE);
  const { socket } = stage.emulator;
  wires = {
    one: await openFaultyWire(socket),
    two: await openFaultyWire(socket),
    hub: await openFaultyWire(socket),
  };
  await stage.startTheRest();
  await Promise.all([startHub(), ...TAGS.map(startTag)].map(({ up }) => up));
  await stage.walk([
    { at: 0, who: HUB, x: 0, y: 5 },
    { at: 0, who: '1', x: 0, y: 0 },
    { at: 0, who: '2', x: 0.8, y: 0 },
  ]);
  await everyTagDelivers();
}, 180_000);

afterAll(async () => {
  await stage?.close();
  await Promise.all(Object.values(wires ?? {}).map((wire) => wire.close()));
});

describe('on Bluetooth, nothing is lost', () => {
  it('when a tag is killed in mid-upload', async () => {
    await wires.one.atNextPiece('silence');
    expect(stage.uploading([1])).toEqual([1]);
    await stage.deployment.kill('tag 1');
    wires.one.silence(false);
    await startTag(1).up;
    await everyTagDelivers();
  }, 120_000);

  it('when a gateway is killed with a session open', async () => {
    await wires.one.atNextPiece('silence');
    await stage.deployment.kill(HUB);
    wires.one.silence(false);
    await startHub().up;
    await everyTagDelivers();
  }, 120_000);

  it('when a link is lost in mid-upload, and no end hears of it', async () => {
    const { failedSessions } = await stage.deployment.tagStatus(2);
    await wires.two.atNextPiece('silence');
    await stage.wait('the tag to give up', async () => {
      const now = await stage.deployment.tagStatus(2);
      return now.failedSessions > failedSessions;
    });
    wires.two.silence(false);
    await everyTagDelivers();
  }, 120_000);

  it('when a piece of an upload arrives corrupted: it is refused, and comes again', async () => {
    const refusedBefore = (await stage.deployment.gatewayStatus(HUB)).gateway.reportsRefused['format'] ?? 0;
    await wires.two.atNextPiece('corrupt');
    await stage.wait('the refusal', async () => {
      const { gateway } = await stage.deployment.gatewayStatus(HUB);
      return (gateway.reportsRefused['format'] ?? 0) > refusedBefore;
    });
    await everyTagDelivers();
  }, 120_000);

  it('when controllers are reset behind the back of a tag and of the gateway', async () => {
    wires.one.resetController();
    wires.hub.resetController();
    await everyTagDelivers();
  }, 120_000);

  it('when an adapter is pulled out and put back', async () => {
    wires.two.unplug();
    wires.hub.unplug();
    await everyTagDelivers();
  }, 120_000);

  it('so that in the end every report is in the ledger, once', async () => {
    const { deployment } = stage;
    await stage.walk([
      { at: 0, who: HUB, x: 0, y: 5 },
      { at: 0, who: '1', x: -200, y: 5 },
      { at: 0, who: '2', x: 200, y: 5 },
    ]);
    const parted = stage.nowSeconds();
    await stage.wait('the last encounter to close', () => stage.nowSeconds() > parted + 900 + 180);
    await stage.wait('all to be delivered', () => stage.isQuiet(TAGS, [HUB]));
    const ended = await deployment.stopAll();
    for (const [name, how] of ended) expect(how, name).toEqual({ code: 0, signal: null });
    const verified = await runFirebreak('ledger', 'verify', '--data-dir', deployment.folder.dir);
    expect(verified, verified.stderr).toMatchObject({ code: 0 });
    const reader = await openFolderReader(deployment.folder, deployment.config);
    const entries = await loggedEntries(reader, deployment.config);
    const reports = await openLoggedReports(reader, entries, await allDayKeys(deployment.folder));
    await reader.close();
    expectAcknowledgedOnce(deployment, TAGS, reports);
  }, 120_000);
});
