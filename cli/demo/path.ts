/**
 * The whole path in one process and in virtual time: tags → gateway → MQTT → ledger → tracer. The same parts as the
 * separate commands, over a real MQTT connection on loopback; only the air is replayed and time runs as fast as it can.
 */
import { randomBytes } from 'node:crypto';
import type { Uplink } from '../../courier/uplink.js';
import { replayFleet } from '../../firmware-sim/fleet.js';
import type { FleetSummary } from '../../firmware-sim/fleet.js';
import type { ContactRecording } from '../../firmware-sim/contact-recording.js';
import type { LedgerStatus } from '../../ledger/ledger.js';
import { toHex } from '../../protocol/bytes.js';
import type { Checkpoint } from '../../protocol/checkpoint.js';
import type { Log } from '../../protocol/log.js';
import { openReplayAir } from '../../radio/air-replay-hosted.js';
import { virtualClock } from '../../radio/clock-virtual.js';
import type { VirtualClock } from '../../radio/clock-virtual.js';
import type { GatewayStatus } from '../../gateway/gateway.js';
import type { Tracer, TracerStatus } from '../../tracer/tracer.js';
import type { Config } from '../config.js';
import { signerFrom } from '../deployment.js';
import { setFolderClock } from '../folder-clock.js';
import { gatewayFolder } from '../folder.js';
import type { DataFolder } from '../folder.js';
import { createKeyFile } from '../key-files.js';
import { writeAtomically } from '../atomic-file.js';
import { startAuthority } from '../parts/authority.js';
import type { RunningAuthority } from '../parts/authority.js';
import { startGateway } from '../parts/gateway.js';
import { startLedger } from '../parts/ledger.js';
import { startTracer } from '../parts/tracer.js';
import { startWriter } from '../parts/writer.js';
import type { Writer } from '../parts/writer.js';
import { closeAll } from '../session.js';
import { keepDays } from './days.js';

export const DEMO_GATEWAY = 'hub-1';
const SESSIONS_AT_ONCE = 32;

export interface PathGiven {
  readonly folder: DataFolder;
  readonly config: Config;
  readonly recording: ContactRecording;
  readonly log: Log;
  readonly signal: AbortSignal;
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
  readonly tracerStatus: TracerStatus;
  readonly checkpoint: Checkpoint;
  /** Wall ms by stage. */
  readonly stageMs: { readonly tags: number; readonly delivery: number; readonly reading: number };
  close(): Promise<void>;
}

/** Walks it. What it opened stays open for the traces that follow; the caller closes. */
export async function walkPath(given: PathGiven): Promise<PathOutcome> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = (): Promise<void> => closeAll(closers.splice(0), given.log);
  try {
    return { ...(await walk(given, (closer) => void closers.push(closer))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function walk(
  given: PathGiven,
  onClose: (close: () => Promise<unknown>) => void,
): Promise<Omit<PathOutcome, 'close'>> {
  const { folder, config, recording, log, signal } = given;
  const clock = virtualClock(recording.startMs);
  onClose(() => setFolderClock(folder, clock.nowMs(), 1));
  const ledger = await startLedger({ folder, config, clock, log }, { mqttPort: 0 });
  onClose(() => ledger.close());
  const authority = await startAuthority({ folder, config, clock, log, mqttUrl: ledger.mqttUrl, signal });
  onClose(() => authority.close());

  const started = performance.now();
  const hub = await openHub(given, clock, authority, ledger.mqttUrl, onClose);
  const fleet = await replay(given, clock, authority, hub.address, hub.central);
  const tagsDone = performance.now();
  given.beforeDelivery?.();
  await delivered(given, [hub.writer, authority.writer]);
  const deliveryDone = performance.now();

  const writer = await startWriter({
    signer: await signerFrom(folder.tracer.writerKey),
    spoolDir: folder.tracer.spool,
    mqttUrl: ledger.mqttUrl,
    ledgerReceiptKey: config.receiptPublicKey,
    log,
    signal,
  });
  onClose(() => writer.close());
  const reader = ledger.ledger.reader();
  const tracer = await startTracer({ folder, config, clock, log, reader, courier: writer.courier });
  const readingStarts = performance.now();
  const { checkpoint } = await tracer.catchUp(
    (done, size) => given.onProgress(`tracer: ${done} of ${size} entries`, done / size),
    signal,
  );
  return {
    fleet,
    gateway: hub.status(),
    ledger: ledger.ledger.status(),
    tracer,
    tracerStatus: tracer.status(),
    checkpoint,
    stageMs: {
      tags: tagsDone - started,
      delivery: deliveryDone - tagsDone,
      reading: performance.now() - readingStarts,
    },
  };
}

/** The one gateway of a replay, certified, known to the ledger and in possession of the day keys. */
async function openHub(
  { folder, config, log, signal, gatewayUplink, recording }: PathGiven,
  clock: VirtualClock,
  running: RunningAuthority,
  mqttUrl: string,
  onClose: (close: () => Promise<unknown>) => void,
) {
  const place = gatewayFolder(folder, DEMO_GATEWAY);
  await createKeyFile(place.key);
  const signer = await signerFrom(place.key);
  let certificate = await running.authority.addGateway(signer.publicKey, DEMO_GATEWAY);
  await writeAtomically(place.certificate, certificate);
  await running.writer.courier.drained(signal);
  const writer = await startWriter({
    signer,
    spoolDir: place.spool,
    mqttUrl,
    ledgerReceiptKey: config.receiptPublicKey,
    log,
    signal,
    ...(gatewayUplink && { throughUplink: gatewayUplink }),
  });
  onClose(() => writer.close());
  const air = openReplayAir({ clock, contacts: [] });
  onClose(() => air.close());
  const address = toHex(randomBytes(6));
  const gateway = await startGateway({
    place,
    config,
    clock,
    log,
    signer,
    writer,
    address,
    radio: air.join(DEMO_GATEWAY),
    certificate: () => certificate,
    maxSessions: 2 * SESSIONS_AT_ONCE,
  });
  onClose(() => gateway.close());
  await keepDays({
    clock,
    recording,
    running,
    signal,
    gatewayStatus: () => gateway.status(),
    certify: async () => {
      certificate = await running.authority.addGateway(signer.publicKey, DEMO_GATEWAY);
      await writeAtomically(place.certificate, certificate);
    },
  });
  return { writer, address, central: air.join('tags').central, status: () => gateway.status() };
}

function replay(
  { recording, config, onProgress, signal }: PathGiven,
  clock: VirtualClock,
  { authority }: RunningAuthority,
  gatewayAddress: string,
  central: Parameters<typeof replayFleet>[0]['central'],
): Promise<FleetSummary> {
  return replayFleet({
    recording,
    clock,
    station: authority,
    issuerPublicKey: config.issuerPublicKey,
    central,
    gatewayAddress,
    settings: config.settings,
    sessionsAtOnce: SESSIONS_AT_ONCE,
    signal,
    onProgress: ({ fraction, sightings, reports }) =>
      onProgress(`tags: ${sightings} sightings, ${reports} reports delivered to the gateway`, fraction),
  });
}

async function delivered({ onProgress, signal }: PathGiven, writers: readonly Writer[]): Promise<void> {
  const depth = (): number => writers.reduce((sum, { courier }) => sum + courier.status().depth, 0);
  const most = Math.max(1, depth());
  const show = setInterval(
    () => onProgress(`gateway: ${depth()} entries on their way to the ledger`, 1 - depth() / most),
    100,
  );
  try {
    for (const { courier } of writers) await courier.drained(signal);
  } finally {
    clearInterval(show);
  }
}
