/** `firebreak tag …`: run one tag, ask how it is. */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { enrolByWire, renewByWire } from '../../authority/enrolment-client.js';
import type { EnrolmentStation } from '../../firmware-sim/enrolment.js';
import { openTagRunner } from '../../firmware-sim/tag-runner.js';
import { asTagNumber } from '../../protocol/brands.js';
import { nobleSigner } from '../../protocol/ed25519-noble.js';
import { connectAir } from '../../radio/air-socket-client.js';
import { folderAt, tagFolder } from '../folder.js';
import type { DataFolder } from '../folder.js';
import { place, wholeNumber } from '../options.js';
import { tagScreen, tagStatusSchema } from '../present/tag-screen.js';
import { lockFolder } from '../process-lock.js';
import { notRunning, findRunning, waitForRunning } from '../run-files.js';
import { inFolder, withFolderOptions } from '../session.js';
import type { FolderOptions } from '../session.js';
import { whileOnAir } from '../shutdown.js';
import { keepStatus, readStatus } from '../status-file.js';

const WAIT_MS = 60_000;
const tagNumber = wholeNumber(0, 2 ** 48 - 1);

interface RunOptions extends FolderOptions {
  readonly number: number;
  readonly place?: { readonly x: number; readonly y: number };
}

export function addTagCommands(program: Command): void {
  const tag = program.command('tag').description('a wearable tag, simulated: beacons, listens, reports');
  withFolderOptions(
    tag.command('run').description('run a tag until stopped; it enrols itself at the first start'),
  )
    .requiredOption('--number <n>', 'its tag number', tagNumber)
    .option('--place <x,y>', 'where it is in the simulated air, metres', place)
    .action((options: RunOptions) => run(options));
  tag
    .command('status')
    .description('is it well, what was heard, delivered, warned')
    .requiredOption('--data-dir <dir>', 'the data folder of the deployment')
    .requiredOption('--number <n>', 'its tag number', tagNumber)
    .action((options: { readonly dataDir: string; readonly number: number }) => status(options));
}

async function run(options: RunOptions): Promise<void> {
  await inFolder('tag', options, async ({ folder, config, clock, log, signal, onClose }) => {
    const own = tagFolder(folder, options.number);
    onClose(await lockFolder(own.dir, 'this tag'));
    const { socket } = await waitForRunning(folder, 'air', WAIT_MS, signal);
    const name = String(options.number);
    const radio = await connectAir({
      at: { path: socket },
      name,
      signal,
      ...(options.place && { place: options.place }),
    });
    onClose(() => radio.close());
    const tag = await openTagRunner({
      radio,
      clock,
      folder: own.state,
      settings: config.settings,
      issuerPublicKey: config.issuerPublicKey,
      station: stationOf(folder, signal),
      tag: asTagNumber(options.number),
      signerOf: nobleSigner,
      random: (length) => new Uint8Array(randomBytes(length)),
      log,
    });
    onClose(() => tag.close());
    onClose(await keepStatus(own.status, () => tag.status()));
    log.info('the tag is up; stop it with Ctrl-C');
    await whileOnAir(radio.lost, signal, 'tag');
    log.info('stopping; what was heard is on disk');
  });
}

/** The authority of the folder, found anew for each request: it may come later, or come back elsewhere. */
function stationOf(folder: DataFolder, signal: AbortSignal): EnrolmentStation {
  const urlOf = async (): Promise<string> => {
    const running = await findRunning(folder, 'authority');
    if (running) return running.http;
    throw notRunning(folder, 'authority');
  };
  return {
    enrol: async (request, tag) => enrolByWire({ url: await urlOf(), signal }, request, tag),
    renew: async (report) => renewByWire({ url: await urlOf(), signal }, report),
  };
}

async function status(options: { readonly dataDir: string; readonly number: number }): Promise<void> {
  const own = tagFolder(folderAt(options.dataDir), options.number);
  console.log(
    tagScreen(options.number, await readStatus(own.status, `tag ${options.number}`, tagStatusSchema)),
  );
}
