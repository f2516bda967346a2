/** `firebreak authority …`: set a deployment up, run its authority, warn tags, revoke a gateway. */
import type { Command } from 'commander';
import { tagNumberIn } from '../../protocol/brands.js';
import { MAX_NOTICE_TAGS } from '../../authority/notices/notice-desk.js';
import { DEFAULT_SETTINGS, REPLAY_SETTINGS } from '../../protocol/settings.js';
import { dayOf } from '../../protocol/time.js';
import { parseOrigin, parseSunset, readConfig } from '../folder/config.js';
import { createDeployment } from '../folder/deployment.js';
import { usage } from '../terminal/exit.js';
import { openFolderClock } from '../days/folder-clock.js';
import { folderAt } from '../folder/folder.js';
import { gatewayDesk } from '../orders/gateway-desk.js';
import { callOf } from '../terminal/how-called.js';
import type { GatewayDesk } from '../orders/gateway-desk.js';
import { waitForLedger } from '../folder/ledger-place.js';
import { readingOf } from '../folder/log-reading.js';
import { wholeNumber } from '../terminal/options.js';
import { takeOrders } from '../orders/order-desk.js';
import type { Order } from '../orders/order-files.js';
import { giveOrder } from '../orders/orders.js';
import { readPersonsFile } from '../files/persons-file.js';
import { POLICY_OPTION, policyOption } from '../files/policy-files.js';
import { counted } from '../present/counts.js';
import { startAudit } from '../parts/audit.js';
import { requireAuthorityKeys, startAuthority } from '../parts/authority.js';
import type { RunningAuthority } from '../parts/authority.js';
import { startAuthorityHttp } from '../parts/authority-http.js';
import type { AuthorityPorts } from '../parts/authority-http.js';
import { openFolderReader } from '../parts/ledger.js';
import { carryOut } from './authority-orders.js';
import type { OrderCarriers } from './authority-orders.js';
import { addRetainCommand } from './authority-retention.js';
import { addAuthorityStatusCommand, keepAuthorityStatus } from './authority-status.js';
import { roundOf } from '../rounds.js';
import { announce, findRunning, notRunning } from '../files/run-files.js';
import { inFolder, SETS_CLOCK, withFolderOptions } from '../folder/session.js';
import type { FolderOptions, Session } from '../folder/session.js';
import { repeatUntilStopped, untilDone } from '../terminal/shutdown.js';

const LEDGER_WAIT_MS = 60_000;
const ROUND_MS = 500;
/** How often the log is read on for those who ask who looked at them; whoever asks waits for what is new besides. */
const AUDIT_ROUND_MS = 5_000;

interface InitOptions extends FolderOptions {
  readonly origin?: string;
  readonly replay?: boolean;
  readonly sunset?: string;
}

interface NotifyOptions extends FolderOptions {
  readonly person?: readonly number[];
  readonly persons?: string;
  readonly code: number;
  readonly dropOldest?: boolean;
}

export function addAuthorityCommands(program: Command): void {
  const authority = program
    .command('authority')
    .description('the health authority: keys, enrolment, gateways, warnings');
  withFolderOptions(
    authority.command('init').description('make the keys and settings of a new deployment'),
    SETS_CLOCK,
  )
    .option(
      '--origin <name>',
      'the name of the log, such as ledger.example.org/firebreak; by default firebreak.local/ and digits of its issuer’s key',
      parseOrigin,
    )
    .option('--replay', 'settings for recorded contacts: beacons every 10 s, samples held 10 s')
    .option(
      '--sunset <date>',
      'the last day of tracing, such as 2027-06-30: no keys are made for later days',
      parseSunset,
    )
    .action((options: InitOptions) => init(options));
  addRunCommand(authority);
  withFolderOptions(authority.command('notify').description('publish a notice that warns these tags'))
    .option('--person <numbers>', 'whom to warn: tag numbers, separated by commas', tagNumbers)
    .option(
      '--persons <file>',
      'whom to warn, too: a tag number a line, or everybody in what trace --csv wrote; - for standard input',
    )
    .option('--code <n>', 'what the tag shows, 0 to 255', wholeNumber(0, 255), 1)
    .option('--drop-oldest', 'when there is no room for one more notice, take the oldest off')
    .action((options: NotifyOptions) => notify(options));
  withFolderOptions(authority.command('revoke').description('revoke a gateway from now on'))
    .requiredOption('--gateway <id>', 'its 32 hex digits, as firebreak gateway status shows them', gatewayId)
    .action((options: FolderOptions & { readonly gateway: string }) =>
      order(options, { what: 'revoke', gatewayId: options.gateway }),
    );
  addRetainCommand(authority);
  addAuthorityStatusCommand(authority);
}

function addRunCommand(authority: Command): void {
  withFolderOptions(
    authority.command('run').description('enrol tags, certify gateways, publish day keys, until stopped'),
  )
    .option(
      '--http-port <port>',
      'port of renewals and audits, which a proxy may make public; 0 takes a free one',
      wholeNumber(0, 65_535),
      0,
    )
    .option(
      '--enrol-port <port>',
      'port of the desk that enrols, for this machine alone; 0 takes a free one',
      wholeNumber(0, 65_535),
      0,
    )
    .option(...POLICY_OPTION)
    .action((options: RunOptions) => run(options));
}

async function init(options: InitOptions): Promise<void> {
  const folder = folderAt(options.dataDir);
  requireToCome(options);
  const settings = options.replay === true ? REPLAY_SETTINGS : DEFAULT_SETTINGS;
  const config = await createDeployment(folder, {
    settings,
    clock: options,
    ...(options.origin !== undefined && { origin: options.origin }),
    ...(options.sunset !== undefined && { sunset: options.sunset }),
  });
  console.log(`a new deployment in ${folder.dir}`);
  console.log(`  log key  ${config.logKey}`);
  if (config.sunset !== undefined) console.log(`  tracing ends with ${config.sunset}`);
  console.log(
    '  keys are in authority/, ledger/ and tracer/, readable by you alone; firebreak.json holds no secret',
  );
  console.log(`next: ${callOf(`ledger run --data-dir ${folder.dir}`)}`);
}

function requireToCome({ sunset, clockStart }: InitOptions): void {
  const today = dateOfMs((clockStart ?? Date.now() / 1000) * 1000);
  if (sunset !== undefined && sunset < today)
    throw usage(`--sunset ${sunset} is past: today is ${today}, and no day could be traced`);
}

const dateOfMs = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

interface RunOptions extends FolderOptions, AuthorityPorts {
  readonly policy?: string;
}

async function run(options: RunOptions): Promise<void> {
  const asked = await policyOption(options.policy);
  await inFolder('authority', options, async (session) => {
    const { folder, config, log, signal, onClose } = session;
    await requireAuthorityKeys(folder);
    const { mqtt } = await waitForLedger(session, LEDGER_WAIT_MS);
    const reader = await openFolderReader(folder, config);
    onClose(() => reader.close());
    const { book, audit, ownWords } = await startAudit(session, reader, asked);
    const running = await startAuthority(session, mqtt, { logDays: () => book.days(), ownWords });
    onClose(running.close);
    const { authority } = running;
    const { publicUrl, deskUrl } = await startAuthorityHttp(authority, audit, options, session);
    onClose(await announce(folder, 'authority', { http: deskUrl }));
    const { days, gateways } = await running.authority.status();
    if (config.sunset !== undefined) log.info('this deployment ends', { lastDay: config.sunset });
    log.info('the authority is up; stop it with Ctrl-C', {
      days: days.length,
      gateways: gateways.length,
      desk: deskUrl,
      public: publicUrl,
    });
    const { issuerPublicKey } = config;
    const wallMs = () => performance.now();
    const desk = gatewayDesk({ ...session, authority, issuerPublicKey, wallMs });
    const carriers = { ...session, authority, courier: running.writer.courier };
    await Promise.all([
      repeatUntilStopped(ROUND_MS, signal, roundsOf(session, carriers, desk)),
      keepAuthorityStatus(session, carriers),
      repeatUntilStopped(AUDIT_ROUND_MS, signal, readingOf(book, session)),
    ]);
    log.info('stopping');
  });
}

/** What an authority does all the time: an officer's order is taken also while a day's keys make trouble. */
function roundsOf(
  session: Session,
  carriers: OrderCarriers & Pick<RunningAuthority, 'authority'>,
  gateways: GatewayDesk,
): () => Promise<void> {
  const { authority } = carriers;
  const parts = {
    days: () => authority.maintain(),
    gateways: async () => authority.isReadBack() && gateways.round(),
    orders: () => takeOrders(session.folder, (given) => carryOut(given, carriers)),
  };
  return roundOf(parts, session.log);
}

async function notify(options: NotifyOptions): Promise<void> {
  const tags = await whomToWarn(options);
  const folder = folderAt(options.dataDir);
  await readConfig(folder);
  const clock = await openFolderClock(folder, options);
  const day = dayOf(clock.nowMs() / 1000);
  const { code, dropOldest = false } = options;
  if (options.persons !== undefined) console.log(`to be warned: ${counted(tags.length, 'person', 'people')}`);
  await order(options, { what: 'notify', day, code, tags, dropOldest });
}

/** Each once. Throws `usage` where nobody is named, or more than a notice can name. */
async function whomToWarn({ person = [], persons }: NotifyOptions): Promise<number[]> {
  if (person.length === 0 && persons === undefined)
    throw usage('say whom to warn: --person NUMBERS or --persons FILE');
  const fromFile = persons === undefined ? [] : await readPersonsFile(persons);
  const tags = [...new Set([...person, ...fromFile])];
  if (tags.length <= MAX_NOTICE_TAGS) return tags;
  throw usage(
    `--person and --persons take at most ${MAX_NOTICE_TAGS} people together, not ${tags.length}: give several notices`,
  );
}

async function order(options: FolderOptions, given: Order): Promise<void> {
  const folder = folderAt(options.dataDir);
  await readConfig(folder);
  if (!(await findRunning(folder, 'authority'))) throw notRunning(folder, 'authority');
  console.log(await untilDone((signal) => giveOrder(folder, given, signal)));
}

/** Each once. */
function tagNumbers(text: string): number[] {
  const parts = text.split(',').map((part) => tagNumberIn(part.trim()));
  const numbers = new Set(parts.filter((number) => number !== undefined));
  if (parts.includes(undefined)) throw usage('--person takes tag numbers, such as 17, separated by commas');
  if (numbers.size <= MAX_NOTICE_TAGS) return [...numbers];
  throw usage(
    `--person takes at most ${MAX_NOTICE_TAGS} tag numbers, not ${numbers.size}: give several notices`,
  );
}

function gatewayId(text: string): string {
  if (/^[0-9a-f]{32}$/.test(text)) return text;
  throw usage('--gateway takes 32 hex digits, as firebreak gateway status shows them');
}
