/** `firebreak tracer …`: follows the ledger and answers questions until stopped; makes tokens for those who ask. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { isLoopback } from '../../host/loopback.js';
import type { Log } from '../../protocol/log.js';
import { tracerAnswers } from '../../tracer/api/answers.js';
import { Pulse } from '../../tracer/api/pulse.js';
import { serveTracerHttp } from '../../tracer/api/serve.js';
import type { TracerApi } from '../../tracer/api/contract.js';
import { isName, NAME_RULE, ROLES } from '../../tracer/api/tokens.js';
import type { Role } from '../../tracer/api/tokens.js';
import { follow } from '../../tracer/follow/follow.js';
import { askDoubts, askHealth } from '../../tracer/api/client.js';
import { defaultOpenThreads } from '../../tracer/opening/opening-pool.js';
import type { Tracer } from '../../tracer/tracer.js';
import { openWalkPool } from '../../tracer/walk/walk-pool.js';
import type { WalkPool } from '../../tracer/walk/walk-pool.js';
import { signerFrom } from '../folder/deployment.js';
import type { DataFolder } from '../folder/folder.js';
import { waitForLedger } from '../folder/ledger-place.js';
import { requireWell, STATUS_EXIT_CODES, usage } from '../terminal/exit.js';
import { hostToListenOn, wholeNumber } from '../terminal/options.js';
import { runningTracer } from '../parts/asked-tracer.js';
import { openFolderReader } from '../parts/ledger.js';
import { makeToken, watchTokens } from '../parts/tracer-tokens.js';
import type { WatchedTokens } from '../parts/tracer-tokens.js';
import { startTracer } from '../parts/tracer.js';
import { startWriter } from '../parts/writer.js';
import { POLICY_OPTION, policyOption } from '../files/policy-files.js';
import { doubtLines } from '../present/show-doubts.js';
import { isTracerWell, tracerScreen } from '../present/tracer-screen.js';
import { announce, notRunning } from '../files/run-files.js';
import { inFolder, withFolderOptions } from '../folder/session.js';
import type { FolderOptions, Session } from '../folder/session.js';

const LEDGER_WAIT_MS = 60_000;
const FOLLOW_EVERY_MS = 500;
const SAY_EVERY_MS = 10_000;
/** A trace is bound by memory: one of two threads would wait for the other. */
const WALKING_THREADS = 1;

export function addTracerCommands(program: Command): void {
  const tracer = program.command('tracer').description('opens reports, keeps contacts, answers traces');
  withFolderOptions(tracer.command('run').description('follow the ledger and answer traces until stopped'))
    .option('--http-port <port>', 'port for questions; 0 takes a free one', wholeNumber(0, 65_535), 0)
    .option(
      '--http-host <address>',
      'address for questions; any but loopback needs something in front of it that does TLS',
      hostToListenOn,
      '127.0.0.1',
    )
    .option('--open-threads <count>', 'threads that open reports', wholeNumber(0, 64), defaultOpenThreads())
    .option(...POLICY_OPTION)
    .action((options: RunOptions) => run(options));
  withFolderOptions(
    tracer
      .command('status')
      .description(`is the tracer well, does it keep up with its ledger; ${STATUS_EXIT_CODES}`),
  ).action((options: FolderOptions) => status(options));
  withFolderOptions(
    tracer.command('doubts').description('what does not add up: reports of copied tags, forged beacons'),
  )
    .option('--json', 'print it as JSON')
    .action((options: DoubtsOptions) => doubts(options));
  withFolderOptions(
    tracer.command('token').description('make a token to ask this tracer with; it is shown once'),
  )
    .requiredOption('--name <name>', 'who asks with it, as each look is recorded', bearerName)
    .addOption(
      new Option('--role <role>', 'officer: all questions; operator: health, metrics and doubts only')
        .choices([...ROLES])
        .default('officer'),
    )
    .action((options: TokenOptions) => token(options));
}

interface RunOptions extends FolderOptions {
  readonly httpPort: number;
  readonly httpHost: string;
  readonly openThreads: number;
  readonly policy?: string;
}

interface TokenOptions extends FolderOptions {
  readonly name: string;
  readonly role: Role;
}

interface DoubtsOptions extends FolderOptions {
  readonly json?: boolean;
}

function bearerName(text: string): string {
  if (isName(text)) return text;
  throw usage(`--name: ${NAME_RULE}`);
}

/** The token alone goes to stdout, so that it can be put where it is needed. */
async function token(options: TokenOptions): Promise<void> {
  await inFolder('tracer', options, async ({ folder }) => {
    const { name, role } = options;
    const { tokens } = folder.tracer;
    const { token: made, ofName } = await makeToken(folder, name, role);
    console.log(made);
    process.stderr.write(
      `Shown once: ${tokens} has its hash only. Who has it asks as ${name}, of a tracer that runs from two seconds on.\n`,
    );
    if (ofName > 1)
      process.stderr.write(
        `${name} has ${ofName} tokens now; to take one back, delete its line from ${tokens}: the newest is the last.\n`,
      );
  });
}

/** Of the tracer that runs. Throws as {@link requireWell}. */
async function status(options: FolderOptions): Promise<void> {
  await inFolder('tracer', options, async ({ folder }) => {
    const health = await askHealth(...(await requireRunning(folder)));
    console.log(tracerScreen(health, Date.now()));
    requireWell(isTracerWell(health));
  });
}

/** Of the tracer that runs. */
async function doubts(options: DoubtsOptions): Promise<void> {
  await inFolder('tracer', options, async ({ folder }) => {
    const answer = await askDoubts(...(await requireRunning(folder)));
    const lines = options.json === true ? [JSON.stringify(answer, null, 2)] : doubtLines(answer, folder.dir);
    console.log(lines.join('\n'));
  });
}

/** As {@link runningTracer}. Throws `unreachable` where none runs. */
async function requireRunning(folder: DataFolder): Promise<readonly [url: string, token: string]> {
  const running = await runningTracer(folder);
  if (running === undefined) throw notRunning(folder, 'tracer');
  return running;
}

async function run(options: RunOptions): Promise<void> {
  const asked = await policyOption(options.policy);
  await inFolder('tracer', options, async (session) => {
    const { folder, config, log, signal, onClose } = session;
    const { tokens, close } = await watchTokens(folder, log);
    onClose(async () => close());
    const signer = await signerFrom(folder.tracer.writerKey);
    const { mqtt: mqttUrl } = await waitForLedger(session, LEDGER_WAIT_MS);
    const writer = await startWriter(session, { signer, spoolDir: folder.tracer.spool, mqttUrl });
    onClose(writer.close);
    const reader = await openFolderReader(folder, config);
    onClose(() => reader.close());
    let looks = 0;
    const onLook = (): void => void (looks += 1);
    const walks = walkPool(log);
    const { openThreads } = options;
    const given = { reader, signer, courier: writer.courier, onLook, walks, openThreads };
    const tracer = await startTracer({ ...session, ...given, ...asked });
    onClose(() => tracer.close());
    const pulse = new Pulse(tracer, () => Date.now());
    const { added } = await pulse.catchUp(sayNowAndThen(log), signal);
    const api = tracerAnswers({ tracer, pulse, looksRecorded: () => looks });
    const url = await serve(api, tokens, options, session);
    log.info('the tracer is up; stop it with Ctrl-C', {
      entries: tracer.status().entries,
      readNow: added,
      contacts: tracer.status().contacts,
      pruned: tracer.status().prunedPayloads,
      http: url,
    });
    await keepUp(tracer, pulse, session);
    log.info('stopping');
  });
}

const walkPool = (log: Log): WalkPool =>
  openWalkPool(WALKING_THREADS, {
    onDeath: (why) => log.warn('a thread that walks traces ended; the next trace starts another', { why }),
  });

/** A long log takes minutes, during which nobody can ask anything. */
function sayNowAndThen(log: Log): (done: number, size: number) => void {
  let saidMs = performance.now();
  return (entries, of) => {
    if (performance.now() - saidMs < SAY_EVERY_MS) return;
    saidMs = performance.now();
    log.info('reading the ledger; questions are answered once it is read', { entries, of });
  };
}

async function serve(
  api: TracerApi,
  tokens: WatchedTokens['tokens'],
  options: RunOptions,
  { folder, log, onClose }: Session,
): Promise<string> {
  const { httpHost: host, httpPort: port } = options;
  const http = await serveTracerHttp({ api, tokens, host, port, log });
  onClose(() => http.close());
  if (!isLoopback(host))
    log.warn('others can reach this tracer, and nothing hides what is asked: put TLS in front of it', {
      host,
    });
  onClose(await announce(folder, 'tracer', { http: http.url }));
  return http.url;
}

function keepUp(tracer: Tracer, pulse: Pulse, { log, signal }: Session): Promise<void> {
  const onAdded = (entries: number): void =>
    log.info('read on', { entries, contacts: tracer.status().contacts });
  return follow(pulse, { pollMs: FOLLOW_EVERY_MS, signal, log, onAdded });
}
