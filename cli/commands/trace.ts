/** `firebreak trace`: who was in contact with a case, in which order, and why. */
import type { Command } from 'commander';
import { FirebreakError } from '../../protocol/errors.js';
import { answerLookUp } from '../../tracer/api/answers.js';
import { Pulse } from '../../tracer/api/pulse.js';
import { askTracer } from '../../tracer/api/client.js';
import { MAX_EVIDENCE_PERSONS } from '../../tracer/looks/trace-message.js';
import type { LookUp, LookUpAnswer } from '../../tracer/looks/trace-message.js';
import { writeNew } from '../files/atomic-file.js';
import { usage } from '../terminal/exit.js';
import { callOf } from '../terminal/how-called.js';
import { caseNumber } from '../terminal/options.js';
import { askOnFolder } from '../parts/asked-tracer.js';
import { POLICY_OPTION, policyOption } from '../files/policy-files.js';
import { requireWritable, showTrace } from '../present/show-trace.js';
import { inFolder, withFolderOptions } from '../folder/session.js';
import type { FolderOptions, Session } from '../folder/session.js';
import { addTraceOptions, askedOf, beyondAllKnown, requireWindow } from '../terminal/trace-options.js';
import type { TraceOptions } from '../terminal/trace-options.js';
import { lookOf, recordedLines, withLookOptions } from '../terminal/who-looks.js';
import type { LookOptions } from '../terminal/who-looks.js';

interface TraceCommandOptions extends FolderOptions, LookOptions, TraceOptions {
  readonly case: string;
  readonly evidence?: string;
  readonly evidencePerson?: readonly string[];
  readonly policy?: string;
}

type AskedPolicy = Awaited<ReturnType<typeof policyOption>>;

export function addTraceCommand(program: Command): void {
  const command = withFolderOptions(
    program
      .command('trace')
      .description('trace a case; the look is recorded in the ledger before it is answered'),
  )
    .requiredOption('--case <id>', 'the index case: a tag number', caseNumber)
    .option(...POLICY_OPTION);
  addTraceOptions(withLookOptions(command))
    .option(
      '--evidence <file>',
      'write a new file that proves the answer to whoever has the log’s public key',
    )
    .option(
      '--evidence-person <numbers>',
      'show these people in it, not everybody: tag numbers, separated by commas',
      personNumbers,
    )
    .action((options: TraceCommandOptions) => run(options));
}

async function run(options: TraceCommandOptions): Promise<void> {
  requireWindow(options);
  if (options.evidencePerson !== undefined && options.evidence === undefined) {
    throw usage('--evidence-person goes with --evidence FILE');
  }
  await requireWritable(options, { dataDir: options.dataDir, inputs: [options.policy] });
  const asked = await policyOption(options.policy);
  await inFolder('trace', options, async (session) => {
    requireWindow(options, session.clock.nowMs());
    const question = questionOf(options);
    const { result, accessIndex, evidence } = await ask(session, question, asked);
    console.log(recordedLines(accessIndex, question, options).join('\n'));
    const beyond = result.known === undefined ? beyondAllKnown(options, result) : undefined;
    if (beyond !== undefined) console.log(`${beyond}\n`);
    const { evidence: file } = options;
    await showTrace(
      result,
      options,
      file === undefined ? undefined : () => saveEvidence(file, evidence, session),
    );
  });
}

/** Tag numbers, written as they are in an answer. */
function personNumbers(text: string): readonly string[] {
  const numbers = text.split(',').map(personNumber);
  if (numbers.length <= MAX_EVIDENCE_PERSONS) return numbers;
  throw usage(
    `--evidence-person takes at most ${MAX_EVIDENCE_PERSONS} tag numbers, not ${numbers.length}: show fewer people, or leave it out for all`,
  );
}

function personNumber(part: string): string {
  try {
    return caseNumber(part.trim());
  } catch {
    throw usage(`--evidence-person takes tag numbers, such as 17, separated by commas, not “${part.trim()}”`);
  }
}

async function saveEvidence(
  file: string,
  evidence: Uint8Array | undefined,
  { config }: Session,
): Promise<void> {
  if (evidence === undefined)
    throw new FirebreakError(
      'closed',
      'the tracer that runs gives no evidence: start it anew with this version',
    );
  await writeNew(file, evidence, 0o600);
  console.log(`evidence written to ${file}, ${evidence.length} bytes; whoever has it can check it with`);
  console.log(`  ${callOf(`evidence verify ${file} --vkey ${config.logKey}`)}`);
}

function questionOf(options: TraceCommandOptions): LookUp {
  const { evidence, evidencePerson, from, to } = options;
  return {
    ...lookOf(options),
    request: {
      ...askedOf(options),
      case: options.case,
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
    },
    ...(evidence !== undefined && { evidence: evidencePerson ? { persons: [...evidencePerson] } : {} }),
  };
}

const ask = (session: Session, question: LookUp, asked: AskedPolicy): Promise<LookUpAnswer> =>
  askOnFolder(session, asked, {
    running: (url, token) => askTracer(url, token, question, session.signal),
    lone: (tracer) => answerLookUp(tracer, new Pulse(tracer, () => Date.now()), question, session.signal),
  });
