/** `firebreak witness …`: an independent party that cosigns the checkpoints of logs (docs/witnesses.md). */
import type { Command } from 'commander';
import pc from 'picocolors';
import { toHex } from '../../protocol/bytes.js';
import { parseForeignCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { FirebreakError } from '../../protocol/errors.js';
import { readNote, type NoteVerifier } from '../../protocol/tlog/note.js';
import { plain } from '../../protocol/plain-text.js';
import { serveWitnessHttp } from '../../witness/http.js';
import { lookAtState, openStateFolder } from '../../witness/state-folder.js';
import { openWitness } from '../../witness/witness.js';
import { callOf } from '../terminal/how-called.js';
import { consoleLog } from '../terminal/log.js';
import { hostToListenOn, wholeNumber } from '../terminal/options.js';
import { openTogether } from '../parts/context.js';
import { counted } from '../present/counts.js';
import { stopSignal, untilStopped } from '../terminal/shutdown.js';
import { verifierKey } from '../terminal/verifier-key.js';
import { createWitness, readWitness, trustLog, witnessFolder, witnessKey } from '../folder/witness-folder.js';

export function addWitnessCommands(program: Command): void {
  const witness = program
    .command('witness')
    .description('an independent party: cosigns a log that only grows (C2SP tlog-witness)');
  witness
    .command('init')
    .description('make a witness: a folder with its key')
    .argument('<dir>', 'a new or an empty folder')
    .requiredOption('--name <name>', 'what it is called, by custom a URL without scheme: example.org/witness')
    .action((dir: string, { name }: { readonly name: string }) => init(dir, name));
  witness
    .command('trust')
    .description('witness this log too, from the next start on')
    .argument('<dir>', 'the folder of the witness')
    .requiredOption('--log <vkey>', 'the log’s public key, as firebreak ledger vkey prints it', verifierKey)
    .action((dir: string, { log }: { readonly log: NoteVerifier }) => trust(dir, log));
  witness
    .command('run')
    .description('cosign until stopped; logs ask by POST /add-checkpoint')
    .argument('<dir>', 'the folder of the witness')
    .requiredOption('--port <port>', 'port for logs to ask on; 0 takes a free one', wholeNumber(0, 65_535))
    .option(
      '--host <host>',
      'address to listen on; put TLS in front of any but loopback',
      hostToListenOn,
      '127.0.0.1',
    )
    .action((dir: string, options: RunOptions) => run(dir, options));
  witness
    .command('show')
    .description('its public key, and what it cosigned last of each log; also while it runs')
    .argument('<dir>', 'the folder of the witness')
    .option(
      '--checkpoint <origin>',
      'write the checkpoint of this log that it cosigned last, and nothing else, to standard output',
    )
    .action((dir: string, { checkpoint }: { readonly checkpoint?: string }) =>
      checkpoint === undefined ? show(dir) : showCheckpoint(dir, checkpoint),
    );
}

async function init(dir: string, name: string): Promise<void> {
  const { vkey } = await createWitness(witnessFolder(dir), name);
  console.log(`${pc.green('made')} the witness ${name} in ${dir}`);
  console.log(`  public key, for the policies of others: ${vkey}`);
}

async function trust(dir: string, log: NoteVerifier): Promise<void> {
  const isNew = await trustLog(witnessFolder(dir), log);
  console.log(
    isNew
      ? `${pc.green('trusted')} ${plain(log.name)}, from the next start on`
      : `${plain(log.name)} is trusted already, by this key`,
  );
}

interface RunOptions {
  readonly port: number;
  readonly host: string;
}

async function run(dir: string, { port, host }: RunOptions): Promise<void> {
  const folder = witnessFolder(dir);
  const facts = await readWitness(folder);
  const cosigner = await witnessKey(folder, facts);
  if (facts.logs.length === 0)
    throw new FirebreakError(
      'input',
      `the witness trusts no log yet: ${callOf(`witness trust ${dir} --log VKEY`)}`,
    );
  const log = consoleLog('witness', process.env['FIREBREAK_LOG']);
  const stop = stopSignal();
  try {
    const { close } = await openTogether(log, async (onClose) => {
      const state = await openStateFolder(folder.state);
      const nowSeconds = (): number => Date.now() / 1000;
      const witness = await openWitness({ cosigner, logs: facts.logs, state, nowSeconds, log });
      onClose(() => witness.close());
      const http = await serveWitnessHttp({ witness, verifierKey: facts.vkey, host, port, log });
      onClose(() => http.close());
      const logs = facts.logs.map(({ name }) => name).join(' ');
      log.info('the witness is up; stop it with Ctrl-C', { witness: facts.name, logs, http: http.url });
      await untilStopped(stop.signal);
      log.info('stopping');
      return {};
    });
    await close();
  } finally {
    stop.dispose();
  }
}

async function show(dir: string): Promise<void> {
  const folder = witnessFolder(dir);
  const { name, vkey, logs } = await readWitness(folder);
  console.log(`${pc.bold(plain(name))}\n  public key ${plain(vkey)}`);
  for (const origin of new Set(logs.map((log) => log.name))) {
    const note = await lookAtState(folder.state, origin);
    console.log(`  ${plain(origin)}: ${note === undefined ? 'nothing cosigned yet' : cosignedLine(note)}`);
  }
}

/** The signed note, as `ledger consistency --old` and other tools for such notes read it. */
async function showCheckpoint(dir: string, origin: string): Promise<void> {
  const folder = witnessFolder(dir);
  const { logs } = await readWitness(folder);
  if (!logs.some(({ name }) => name === origin))
    throw new FirebreakError('input', `${origin} is not a log that this witness trusts`);
  const note = await lookAtState(folder.state, origin);
  if (note === undefined) throw new FirebreakError('input', `nothing of ${origin} was cosigned yet`);
  parseForeignCheckpoint(readNote(note).text);
  process.stdout.write(note);
}

function cosignedLine(note: string): string {
  const { size, root } = parseForeignCheckpoint(readNote(note).text);
  return `${counted(size, 'entry', 'entries')} with the root ${toHex(root)}`;
}
