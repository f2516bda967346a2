/** `firebreak demo`: the whole path in one process, on the built-in scenario or recorded contacts. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import pc from 'picocolors';
import { FirebreakError } from '../../protocol/errors.js';
import { REPLAY_SETTINGS } from '../../protocol/settings.js';
import type { ProtocolSettings } from '../../protocol/settings.js';
import { dayOf } from '../../protocol/time.js';
import type { TraceRequest } from '../../tracer/looks/trace-result.js';
import { MAX_RETENTION_DAYS } from '../folder/config.js';
import { createDeployment } from '../folder/deployment.js';
import { walkPath } from '../demo/path.js';
import type { PathOutcome } from '../demo/path.js';
import { recordingLine, stageLines } from '../demo/stages.js';
import { chooseSubject } from '../demo/subject.js';
import type { Subject } from '../demo/subject.js';
import { claimEmptyFolder, folderAt } from '../folder/folder.js';
import { callOf } from '../terminal/how-called.js';
import { consoleLog } from '../terminal/log.js';
import { terminalProgress } from '../terminal/progress.js';
import { stopSignal } from '../terminal/shutdown.js';
import { addTraceOptions, requestOf } from '../terminal/trace-options.js';
import type { TraceOptions } from '../terminal/trace-options.js';
import { requireWritable, showTrace } from '../present/show-trace.js';

interface DemoOptions extends TraceOptions {
  readonly contacts?: string;
  readonly case?: string;
  readonly dataDir?: string;
}

/** The day before the first contact, and the one after the last visit. */
const SPARE_DAYS = 3;

const LOOK = { officer: 'demo', purpose: 'demonstration' };

export function addDemoCommand(program: Command): void {
  const command = program
    .command('demo')
    .description('walk everything in one process: tags, gateway, MQTT, ledger, trace')
    .option(
      '--contacts <file>',
      'recorded contacts, lines "t i j", plain or gzip; a built-in scenario without it',
    )
    .addOption(new Option('--case <id>', 'the index case: the number of a person in the recording'))
    .option(
      '--data-dir <dir>',
      'a new or empty folder to work in; by default one in the system’s temporary folder',
    );
  addTraceOptions(command).action((options: DemoOptions) => demo(options));
}

async function demo(options: DemoOptions): Promise<void> {
  await requireWritable(options, { dataDir: options.dataDir, inputs: [options.contacts] });
  const subject = await chooseSubject(options.contacts, options.case);
  const { recording } = subject;
  const span = { from: recording.startMs / 1000, to: recording.endMs / 1000 };
  const request = requestOf(options, subject.caseTag, span);
  replaySettings(subject); // a recording too long is refused before anything is written
  const dir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'firebreak-demo-')));
  await claimEmptyFolder(dir);
  await walkAndTrace(resolve(dir), subject, request, options);
}

async function walkAndTrace(
  dir: string,
  subject: Subject,
  request: TraceRequest,
  options: DemoOptions,
): Promise<void> {
  const stop = stopSignal();
  const progress = terminalProgress(process.stderr);
  const log = quietLog();
  try {
    const { recording } = subject;
    console.log(recordingLine(recording, subject.source));
    console.log(`working in ${dir}\n`);
    const folder = folderAt(dir);
    const config = await createDeployment(folder, { settings: replaySettings(subject) });
    const outcome = await walkPath({
      folder,
      config,
      recording,
      log,
      signal: stop.signal,
      onProgress: progress.update,
    });
    progress.done();
    try {
      await answer(outcome, subject, request, options);
    } finally {
      await outcome.close();
    }
    console.log(pc.dim(`\nThe folder can be looked into: ${callOf(`ledger verify --data-dir ${dir}`)}`));
    const wearer = callOf(`audit --data-dir ${dir} --tag ${subject.caseTag}`);
    console.log(pc.dim(`What its wearer is shown of this look: ${wearer}`));
  } finally {
    progress.done();
    stop.dispose();
  }
}

async function answer(
  outcome: PathOutcome,
  subject: Subject,
  request: TraceRequest,
  options: DemoOptions,
): Promise<void> {
  console.log(stageLines(outcome));
  const started = performance.now();
  const { result, accessIndex } = await outcome.tracer.lookUp(request, LOOK);
  const ms = performance.now() - started;
  console.log(
    `${pc.cyan('look'.padEnd(9))}recorded as entry ${accessIndex} before it was answered${pc.dim(`  ${ms.toFixed(0)} ms`)}\n`,
  );
  if (subject.about !== undefined) console.log(`Case ${subject.caseTag}: ${subject.about}\n`);
  await showTrace(result, options);
}

/** A replay keeps what it records until its end. Throws `input` for a recording longer than a deployment may keep. */
function replaySettings({ recording: { startMs, endMs }, source }: Subject): ProtocolSettings {
  const days = dayOf(endMs / 1000) - dayOf(startMs / 1000) + SPARE_DAYS;
  if (days > MAX_RETENTION_DAYS) {
    const longest = MAX_RETENTION_DAYS - SPARE_DAYS;
    throw new FirebreakError(
      'input',
      `${source} spans ${days - SPARE_DAYS} days; a demo takes at most ${longest}`,
    );
  }
  return { ...REPLAY_SETTINGS, retentionDays: Math.max(REPLAY_SETTINGS.retentionDays, days) };
}

/** Only what a person should act on; the stages say the rest. */
function quietLog() {
  return { ...consoleLog('demo', process.env['FIREBREAK_LOG']), info: () => {} };
}
