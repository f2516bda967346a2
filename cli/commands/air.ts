/** `firebreak air run`: an air for the tag and gateway processes of one machine, where there is no Bluetooth. */
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { openMemoryAir } from '../../radio/air/air-memory.js';
import { openReplayAir } from '../../radio/air/air-replay-hosted.js';
import type { ContactRecording } from '../../firmware-sim/recorded/contact-recording.js';
import { FirebreakError } from '../../protocol/errors.js';
import { REPLAY_SETTINGS } from '../../protocol/settings.js';
import type { ProtocolSettings } from '../../protocol/settings.js';
import { serveAir } from '../../radio/socket/air-socket-server.js';
import type { AirServerDeps } from '../../radio/socket/air-socket-server.js';
import type { DataFolder } from '../folder/folder.js';
import { loadContacts } from '../parts/contacts.js';
import { usage } from '../terminal/exit.js';
import { announce, findRunning, makeRunFolder } from '../files/run-files.js';
import { inFolder, withFolderOptions } from '../folder/session.js';
import type { FolderOptions, Session } from '../folder/session.js';
import { callOf } from '../terminal/how-called.js';
import { untilStopped } from '../terminal/shutdown.js';

interface RunOptions extends FolderOptions {
  readonly contacts?: string;
  readonly seed: string;
}

/** Time before the first contact, for everyone to come up at a rate of 60 or less. */
const LEAD_MS = 3_600_000;
/** A socket's path may have about a hundred characters. */
const MAX_SOCKET_PATH = 100;

export function addAirCommands(program: Command): void {
  const air = program.command('air').description('the simulated air that tag and gateway processes share');
  withFolderOptions(air.command('run').description('host the air on a local socket until stopped'))
    .option('--contacts <file>', 'replay these recorded contacts instead of the physics of a room')
    .option('--seed <text>', 'seed of shadowing and jitter', 'firebreak')
    .action((options: RunOptions) => run(options));
}

async function run(options: RunOptions): Promise<void> {
  await inFolder('air', options, async (session) => {
    const { folder, log, signal, onClose } = session;
    const running = await findRunning(folder, 'air');
    if (running)
      throw new FirebreakError('locked', `an air runs on ${folder.dir} already (process ${running.pid})`);
    const air = await openAir(session, options);
    onClose(() => air.close());
    await makeRunFolder(folder);
    const server = await serveAir({ at: { path: socketPath(folder) }, join: air.join, log });
    onClose(() => server.close());
    onClose(await announce(folder, 'air', { socket: socketPath(folder) }));
    log.info('the air is up; stop it with Ctrl-C', {
      kind: options.contacts === undefined ? 'physics' : 'recorded contacts',
    });
    await untilStopped(signal);
    log.info('stopping', { processes: server.status().processes });
  });
}

/** Throws `usage` for contacts on a folder that was not made for a replay, and what reading the file throws. */
async function openAir(
  { clock, config, log }: Session,
  options: RunOptions,
): Promise<{ readonly join: AirServerDeps['join']; close(): Promise<void> }> {
  if (options.contacts === undefined) {
    const air = openMemoryAir({ clock, seed: options.seed });
    return { join: ({ name, place }) => air.join(name, place), close: () => air.close() };
  }
  requireReplaySettings(config.settings);
  const { contacts, recording } = await loadContacts(options.contacts);
  if (recording.endMs < clock.nowMs()) log.warn(pastWords(recording));
  const air = openReplayAir({
    clock,
    contacts: contacts.map(({ a, b, startMs, endMs }) => ({ a: String(a), b: String(b), startMs, endMs })),
  });
  return { join: ({ name }) => air.join(name), close: () => air.close() };
}

/** Seconds come out as recorded only with the beacons and the sample hold of a replay (docs/tracing.md). */
function requireReplaySettings({ beaconIntervalMs, sampleHoldSeconds }: ProtocolSettings): void {
  const isReplay =
    beaconIntervalMs === REPLAY_SETTINGS.beaconIntervalMs &&
    sampleHoldSeconds === REPLAY_SETTINGS.sampleHoldSeconds;
  if (isReplay) return;
  throw usage(
    `the settings of this folder do not fit recorded contacts, which would be counted wrongly: make the folder with ${callOf('authority init --replay')}`,
  );
}

function pastWords({ startMs }: ContactRecording): string {
  const start = new Date(startMs - LEAD_MS).toISOString().replace('.000Z', 'Z');
  return `the recording is past by the clock of this folder, and nothing of it is played: make the folder with ${callOf(`authority init --replay --clock-start ${start}`)}`;
}

function socketPath(folder: DataFolder): string {
  const inside = join(folder.run, 'air.sock');
  if (inside.length < MAX_SOCKET_PATH) return inside;
  return join(
    tmpdir(),
    `firebreak-${createHash('sha256').update(folder.dir).digest('hex').slice(0, 16)}.sock`,
  );
}
