/**
 * The whole path in one process and in virtual time: tags → gateway → MQTT → ledger → tracer. The same parts as the
 * separate commands, over a real MQTT connection on loopback; only the air is replayed and time runs as fast as it can.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Uplink } from '../../courier/uplink.js';
import type { ContactRecording } from '../../firmware-sim/recorded/contact-recording.js';
import { replayFleet } from '../../firmware-sim/recorded/fleet.js';
import type { FleetSummary } from '../../firmware-sim/recorded/fleet.js';
import type { TagState } from '../../firmware-sim/tag/tag-state.js';
import { fileTagStore } from '../../firmware-sim/tag/tag-store-file.js';
import type { GatewayStatus } from '../../gateway/gateway.js';
import { virtualClock } from '../../host/clock-virtual.js';
import type { VirtualClock } from '../../host/clock-virtual.js';
import type { LedgerStatus } from '../../ledger/ledger.js';
import type { TagNumber } from '../../protocol/brands.js';
import type { Checkpoint } from '../../protocol/tlog/checkpoint.js';
import type { Tracer } from '../../tracer/tracer.js';
import { signerFrom } from '../folder/deployment.js';
import { tagFolder } from '../folder/folder.js';
import type { DataFolder } from '../folder/folder.js';
import { setFolderClock } from '../days/folder-clock.js';
import { startAuthority } from '../parts/authority.js';
import type { RunningAuthority } from '../parts/authority.js';
import { openTogether } from '../parts/context.js';
import type { OnClose, PartContext } from '../parts/context.js';
import { startLedger } from '../parts/ledger.js';
import type { RunningLedger } from '../parts/ledger.js';
import { startTracer } from '../parts/tracer.js';
import { startWriter } from '../parts/writer.js';
import type { Writer } from '../parts/writer.js';
import { openHub, SESSIONS_AT_ONCE } from './hub.js';
import type { Hub } from './hub.js';

export interface PathGiven extends Omit<PartContext, 'clock'> {
  readonly recording: ContactRecording;
  readonly onProgress: (text: string, fraction: number) => void;
  /** For the bench: holds what the gateway sends back until it says so. */
  readonly gatewayUplink?: (uplink: Uplink) => Uplink;
  /** Called when the tags are done, before deliveries are awaited. */
  readonly beforeDelivery?: () => void;
}

export interface PathOutcome {
  readonly fleet: FleetSummary;
  readonly gateway: GatewayStatus;
  readonly ledger: LedgerStatus;
  readonly tracer: Tracer;
  readonly checkpoint: Checkpoint;
  /** Wall ms by stage. */
  readonly stageMs: { readonly tags: number; readonly delivery: number; readonly reading: number };
  readonly close: () => Promise<void>;
}

/** Walks it. What it opened stays open for the traces that follow; the caller closes. */
export function walkPath(given: PathGiven): Promise<PathOutcome> {
  const clock = virtualClock(given.recording.startMs);
  return openTogether(given.log, (onClose) => walk(given, { ...given, clock }, clock, onClose));
}

async function walk(given: PathGiven, context: PartContext, clock: VirtualClock, onClose: OnClose) {
  const { recording, signal, gatewayUplink: throughUplink } = given;
  onClose(() => setFolderClock(context.folder, clock.nowMs(), 1));
  const running = await startLedger(context, { mqttPort: 0 });
  onClose(running.close);
  const authority = await startAuthority(context, running.mqttUrl);
  onClose(authority.close);

  const laps = stopwatch();
  const hub = await openHub(context, {
    clock,
    running: authority,
    recording,
    mqttUrl: running.mqttUrl,
    throughUplink,
  });
  onClose(hub.close);
  const fleet = await replay(given, clock, authority, hub);
  const tags = laps();
  given.beforeDelivery?.();
  await delivered(given, [hub.writer, authority.writer]);
  const delivery = laps();
  const tracer = await openTracerOn(context, running, onClose);
  const show = (done: number, size: number): void =>
    given.onProgress(`tracer: ${done} of ${size} entries`, done / size);
  const { checkpoint } = await tracer.catchUp(show, signal);
  const [gateway, ledger] = [hub.gateway.status(), running.ledger.status()];
  return { fleet, gateway, ledger, tracer, checkpoint, stageMs: { tags, delivery, reading: laps() } };
}

async function openTracerOn(
  context: PartContext,
  { ledger, mqttUrl }: RunningLedger,
  onClose: OnClose,
): Promise<Tracer> {
  const { writerKey, spool } = context.folder.tracer;
  const writer = await startWriter(context, {
    signer: await signerFrom(writerKey),
    spoolDir: spool,
    mqttUrl,
  });
  onClose(writer.close);
  const tracer = await startTracer({ ...context, reader: ledger.reader(), courier: writer.courier });
  onClose(() => tracer.close());
  return tracer;
}

function replay(
  given: PathGiven,
  clock: VirtualClock,
  { authority }: RunningAuthority,
  hub: Hub,
): Promise<FleetSummary> {
  const { folder, recording, config, onProgress, signal } = given;
  return replayFleet({
    recording,
    clock,
    station: authority,
    issuerPublicKey: config.issuerPublicKey,
    central: hub.central,
    gatewayAddress: hub.address,
    settings: config.settings,
    sessionsAtOnce: SESSIONS_AT_ONCE,
    signal,
    onLeft: (tag, state) => keepTag(folder, tag, state),
    onProgress: ({ fraction, sightings, reports }) =>
      onProgress(`tags: ${sightings} sightings, ${reports} reports delivered to the gateway`, fraction),
  });
}

/** So that the people of a demo can ask who looked at them, as any wearer of a tag can. */
function keepTag(folder: DataFolder, tag: TagNumber, state: TagState): void {
  const own = tagFolder(folder, tag);
  mkdirSync(own.state, { recursive: true, mode: 0o700 });
  fileTagStore(join(own.state, 'tag.json')).save(state);
}

async function delivered({ onProgress, signal }: PathGiven, writers: readonly Writer[]): Promise<void> {
  const depth = (): number => writers.reduce((sum, { courier }) => sum + courier.status().depth, 0);
  const most = Math.max(1, depth());
  const tell = (): void =>
    onProgress(`gateway: ${depth()} entries on their way to the ledger`, 1 - depth() / most);
  const show = setInterval(tell, 100);
  try {
    for (const { courier } of writers) await courier.drained(signal);
  } finally {
    clearInterval(show);
  }
}

/** Wall ms since it was last asked. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const lap = performance.now() - last;
    last += lap;
    return lap;
  };
}
