/** `firebreak gateway …`: run one, ask how it is, and what the ledger refused (gateway-refused.ts). */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { isThere } from '../files/is-there.js';
import { toHex } from '../../protocol/bytes.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import type { Gateway } from '../../gateway/gateway.js';
import type { Log } from '../../protocol/log.js';
import { inFolderOnAir, joinAir, withAirOptions } from '../air/air-choice.js';
import type { AirOptions } from '../air/air-choice.js';
import { writeAtomically } from '../files/atomic-file.js';
import { signerFrom } from '../folder/deployment.js';
import { gatewayFolder, folderAt } from '../folder/folder.js';
import type { GatewayFolder } from '../folder/folder.js';
import {
  holdsNow,
  keepCertificate,
  readCertificate,
  waysToCertificate,
} from '../folder/gateway-certificate.js';
import type { KeptCertificate } from '../folder/gateway-certificate.js';
import { createKeyFile } from '../files/key-files.js';
import { addGatewayRefusedCommand } from './gateway-refused.js';
import { findLedger, waitForLedger } from '../folder/ledger-place.js';
import { requireWell, STATUS_EXIT_CODES } from '../terminal/exit.js';
import { brokerUrl, shortName, wholeNumber } from '../terminal/options.js';
import { startGateway } from '../parts/gateway.js';
import { startWriter } from '../parts/writer.js';
import type { Writer } from '../parts/writer.js';
import { gatewayScreen, gatewayStatusSchema, isGatewayWell } from '../present/gateway-screen.js';
import { startingScreen, startingSchema } from '../present/gateway-starting.js';
import type { StartingStatus } from '../present/gateway-starting.js';
import { withFolderOptions } from '../folder/session.js';
import type { FolderOptions, Session } from '../folder/session.js';
import { repeatUntilStopped, whileOnAir } from '../terminal/shutdown.js';
import { keepStatus, readStatus } from '../files/status-file.js';

const LOOK_MS = 1_000;

const statusSchema = z.union([gatewayStatusSchema, startingSchema]);

interface RunOptions extends FolderOptions, AirOptions {
  readonly name: string;
  readonly brokerPatience: number;
  readonly broker?: string;
}

export function addGatewayCommands(program: Command): void {
  const gateway = program
    .command('gateway')
    .description('a gateway at a hub: meets tags, forwards what they report');
  withAirOptions(withFolderOptions(gateway.command('run').description('run a gateway until stopped')))
    .option('--name <name>', 'its name, and its folder under gateways/', shortName, 'hub-1')
    .option(
      '--broker <url>',
      'the MQTT broker; by default the one of the folder’s ledger, which then has to run at the first start',
      brokerUrl,
    )
    .option(
      '--broker-patience <s>',
      'give up after this many seconds without a running ledger that says where its broker is, or, at its first start, without the broker',
      wholeNumber(1, 86_400),
      60,
    )
    .action((options: RunOptions) => run(options));
  gateway
    .command('status')
    .description(`is it well, what was heard, what was delivered; ${STATUS_EXIT_CODES}`)
    .requiredOption('--data-dir <dir>', 'the data folder of the deployment')
    .option('--name <name>', 'its name', shortName, 'hub-1')
    .action((options: { readonly dataDir: string; readonly name: string }) => status(options));
  addGatewayRefusedCommand(gateway);
}

async function run(options: RunOptions): Promise<void> {
  await inFolderOnAir('gateway', options, async (session) => {
    const { folder, log, signal, onClose } = session;
    const patienceMs = options.brokerPatience * 1000;
    const own = gatewayFolder(folder, options.name);
    const signer = await ownSigner(own);
    const startsOffline = await hasWordOfTheAuthority(own);
    const endStarting = await keepStarting(own, options.name, session);
    const mqttUrl = options.broker ?? (await brokerOfLedger(own, session, patienceMs, startsOffline));
    const certificate = await keepCertificate(own, session);
    if (!startsOffline) log.info('first start: waiting for the authority’s day keys from the broker');
    const writer = await startWriter(session, {
      ...{ signer, spoolDir: own.spool, mqttUrl, patienceMs, startsOffline },
      mayClockBeRight: () => holdsNow(certificate.current(), session),
    });
    onClose(writer.close);
    const radio = await joinAir(session, options, options.name);
    onClose(() => radio.close());
    const gateway = await startGateway(session, own, {
      radio,
      signer,
      writer,
      certificate: certificate.current,
      ...(options.radio === 'ble' && onBluetooth(session)),
    });
    onClose(() => gateway.close());
    await endStarting();
    onClose(await keepStatus(own.status, statusOf(session, options.name, { gateway, writer, certificate })));
    const { gatewayId: id } = gateway.status();
    log.info('the gateway is up; stop it with Ctrl-C', { gateway: options.name, id });
    const sayTrouble = troubleTeller(log, () => gateway.status().trouble);
    await Promise.race([
      repeatUntilStopped(LOOK_MS, signal, () => certificate.look().then(sayTrouble)),
      whileOnAir(radio.lost, signal, 'gateway'),
    ]);
    log.info('stopping', { waiting: writer.courier.status().depth });
  });
}

interface Parts {
  readonly gateway: Gateway;
  readonly writer: Writer;
  readonly certificate: KeptCertificate;
}

const statusOf =
  ({ clock }: Session, name: string, { gateway, writer: { courier }, certificate }: Parts) =>
  () => ({
    name,
    clockMs: clock.nowMs(),
    whyCertificateUnread: certificate.whyUnread(),
    gateway: gateway.status(),
    courier: courier.status(),
  });

/** An adapter holds one session at a time: who says nothing must not keep the others waiting. */
const onBluetooth = ({ config }: Session) => ({
  silenceLimitMs: 10_000,
  advertIntervalMs: config.settings.beaconIntervalMs,
});

/**
 * With a certificate and day keys on disk a gateway begins without a broker, for as long as it takes: tags pass it by
 * whatever becomes of the network. Before that there is nothing it could do, and a wrong address is better said.
 */
const hasWordOfTheAuthority = ({ statements }: GatewayFolder): Promise<boolean> => isThere(statements);

/** A status until it is on the air for the first time, for minutes may pass before; later the last one stays. */
async function keepStarting(own: GatewayFolder, name: string, { folder, onClose }: Session) {
  const wasOnAir = await readStatus(folder, own.status, name, gatewayStatusSchema).then(
    () => true,
    () => false,
  );
  if (wasOnAir && (await isThere(own.certificate))) return async () => undefined;
  const starting = (): StartingStatus => ({ name, isStarting: true });
  const end = await keepStatus(own.status, starting);
  onClose(end);
  return end;
}

/**
 * Of the ledger that runs on this folder, which is waited for; one that has run here comes back on the ports it had, so that
 * a gateway that can begin without a network does not wait for it. Throws `unreachable`, and the reason of the signal.
 */
async function brokerOfLedger(
  own: GatewayFolder,
  session: Session,
  patienceMs: number,
  startsOffline: boolean,
): Promise<string> {
  const running = await findLedger(session.folder);
  const before = startsOffline && !running ? await brokerBefore(own) : undefined;
  if (before !== undefined) {
    session.log.warn('no ledger runs on this folder now; its broker is tried where it was', {
      broker: before,
    });
    return before;
  }
  const elsewhere = 'of a ledger on another machine, name the broker with --broker';
  const { mqtt } = running ?? (await waitForLedger(session, patienceMs, elsewhere));
  await writeAtomically(own.broker, `${mqtt}\n`, 0o600);
  return mqtt;
}

/** What is no address counts as none. */
async function brokerBefore({ broker }: GatewayFolder): Promise<string | undefined> {
  const text = (await readFile(broker, 'utf8').catch(() => '')).trim();
  try {
    return text === '' ? undefined : brokerUrl(text);
  } catch {
    return undefined;
  }
}

/** Says why no tag can be served, and that they can be again: once each time it changes. */
function troubleTeller(log: Log, troubleNow: () => string | undefined): () => void {
  let said: string | undefined;
  return () => {
    const why = troubleNow();
    if (why === said) return;
    said = why;
    if (why === undefined) log.info('tags are served again');
    else log.warn('no tag can be served now', { why });
  };
}

/** Makes the key at the first start; the public one goes to the authority. */
async function ownSigner(own: GatewayFolder) {
  if (!(await isThere(own.key))) await createKeyFile(own.key);
  const signer = await signerFrom(own.key);
  await writeAtomically(own.publicKey, `${toHex(signer.publicKey)}\n`);
  return signer;
}

async function status(options: { readonly dataDir: string; readonly name: string }): Promise<void> {
  const folder = folderAt(options.dataDir);
  const own = gatewayFolder(folder, options.name);
  const missing = await whyNoCertificate(own);
  const read = await readStatus(folder, own.status, `gateway ${options.name}`, statusSchema).catch(
    async (error: unknown) => {
      const isUnseen = error instanceof FirebreakError && error.code === 'not-found';
      if (isUnseen && missing !== undefined && (await isThere(own.key))) return undefined;
      throw error;
    },
  );
  if (read !== undefined && 'gateway' in read.status) {
    const seen = { ...read, status: read.status };
    console.log(gatewayScreen(seen));
    return requireWell(isGatewayWell(seen));
  }
  console.log(startingScreen(options.name, read, missing));
  requireWell(false);
}

/** Undefined where one is here, and this user may read it. */
const whyNoCertificate = (own: GatewayFolder): Promise<string | undefined> =>
  readCertificate(own).then(
    (bytes) => (bytes === undefined ? `none yet: ${waysToCertificate(own)}` : undefined),
    (error: unknown) => asError(error).message,
  );
