/** `firebreak tag …`: run one tag, ask how it is. */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { enrolByWire, renewByWire, timeByWire } from '../../authority/credentials/enrolment-client.js';
import type { EnrolmentStation } from '../../firmware-sim/live/enrolment.js';
import { openTagRunner } from '../../firmware-sim/live/tag-runner.js';
import { holdLock } from '../../host/folder-lock.js';
import { asTagNumber, MAX_TAG_NUMBER } from '../../protocol/brands.js';
import { asError } from '../../protocol/errors.js';
import { nobleSigner } from '../../protocol/crypto/ed25519-noble.js';
import { inFolderOnAir, joinAir, withAirOptions } from '../air/air-choice.js';
import type { AirOptions } from '../air/air-choice.js';
import { folderAt, tagFolder } from '../folder/folder.js';
import type { DataFolder } from '../folder/folder.js';
import { requireWell, STATUS_EXIT_CODES } from '../terminal/exit.js';
import { httpUrl, wholeNumber } from '../terminal/options.js';
import { isTagWell, tagScreen, tagStatusSchema } from '../present/tag-screen.js';
import { notRunning, findRunning } from '../files/run-files.js';
import { withFolderOptions } from '../folder/session.js';
import type { FolderOptions } from '../folder/session.js';
import { whileOnAir } from '../terminal/shutdown.js';
import { keepStatus, readStatus } from '../files/status-file.js';

const tagNumber = wholeNumber(0, MAX_TAG_NUMBER);

interface RunOptions extends FolderOptions, AirOptions {
  readonly number: number;
  readonly authority?: string;
  readonly desk?: string;
}

export function addTagCommands(program: Command): void {
  const tag = program.command('tag').description('a wearable tag, simulated: beacons, listens, reports');
  withAirOptions(
    withFolderOptions(
      tag.command('run').description('run a tag until stopped; it enrols itself at the first start'),
    ),
  )
    .requiredOption('--number <n>', 'its tag number', tagNumber)
    .option('--authority <url>', 'where it gets credentials; by default the authority of the folder', httpUrl)
    .option(
      '--desk <url>',
      'where it is enrolled at its first start; by default where --authority says',
      httpUrl,
    )
    .action((options: RunOptions) => run(options));
  tag
    .command('status')
    .description(`is it well, what was heard, delivered, warned; ${STATUS_EXIT_CODES}`)
    .requiredOption('--data-dir <dir>', 'the data folder of the deployment')
    .requiredOption('--number <n>', 'its tag number', tagNumber)
    .action((options: { readonly dataDir: string; readonly number: number }) => status(options));
}

async function run(options: RunOptions): Promise<void> {
  await inFolderOnAir('tag', options, async (session) => {
    const { folder, config, clock, log, signal, onClose } = session;
    const own = tagFolder(folder, options.number);
    onClose(await holdLock(own.lock, `this tag runs already, on ${own.dir}`));
    const radio = await joinAir(session, options, String(options.number));
    onClose(() => radio.close());
    const tag = await openTagRunner({
      radio,
      clock,
      counter: clock.counter,
      folder: own.state,
      settings: config.settings,
      issuerPublicKey: config.issuerPublicKey,
      station: stationOf(folder, options, signal),
      tag: asTagNumber(options.number),
      signerOf: nobleSigner,
      random: (length) => new Uint8Array(randomBytes(length)),
      log,
    });
    onClose(() => tag.close());
    let endedWhy: string | undefined;
    onClose(await keepStatus(own.status, () => ({ ...tag.status(), endedWhy })));
    log.info('the tag is up; stop it with Ctrl-C');
    await whileOnAir(radio.lost, signal, 'tag').catch((error: unknown) => {
      endedWhy = asError(error).message;
      throw error;
    });
    log.info('stopping; what was heard is on disk');
  });
}

/** The authority of the folder is found anew for each request: it may come later, or come back elsewhere. */
function stationOf(
  folder: DataFolder,
  { authority, desk }: Pick<RunOptions, 'authority' | 'desk'>,
  signal: AbortSignal,
): EnrolmentStation {
  const urlOf = async (given: string | undefined): Promise<string> => {
    if (given !== undefined) return given;
    const running = await findRunning(folder, 'authority');
    if (running) return running.http;
    throw notRunning(folder, 'authority', 'of one on another machine, name it with --authority');
  };
  return {
    enrol: async (request, tag) => enrolByWire({ url: await urlOf(desk ?? authority), signal }, request, tag),
    renew: async (report) => renewByWire({ url: await urlOf(authority), signal }, report),
    timeMs: async () => timeByWire({ url: await urlOf(authority), signal }),
  };
}

async function status(options: { readonly dataDir: string; readonly number: number }): Promise<void> {
  const folder = folderAt(options.dataDir);
  const own = tagFolder(folder, options.number);
  const read = await readStatus(folder, own.status, `tag ${options.number}`, tagStatusSchema);
  console.log(tagScreen(options.number, read));
  requireWell(isTagWell(read));
}
