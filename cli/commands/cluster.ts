/** `firebreak cluster`: what several cases have in common, ranked, and who may have infected whom. */
import type { Command } from 'commander';
import { wholeClusterRequest } from '../../tracer/api/answers.js';
import { askCluster } from '../../tracer/cluster/ask.js';
import type { ClusterAnswer, ClusterLookUp } from '../../tracer/cluster/cluster-message.js';
import { MAX_SOURCES } from '../../tracer/cluster/cluster-result.js';
import type { ClusterCase } from '../../tracer/cluster/cluster-result.js';
import type { Tracer } from '../../tracer/tracer.js';
import { readCasesFile } from '../files/cases-file.js';
import { TIME_FORMAT, time, wholeNumber } from '../terminal/options.js';
import { gatewayNames } from '../orders/gateway-names.js';
import { askOnFolder } from '../parts/asked-tracer.js';
import { POLICY_OPTION, policyOption } from '../files/policy-files.js';
import { showCluster } from '../present/show-cluster.js';
import { requireWritable } from '../present/show-trace.js';
import { inFolder, withFolderOptions } from '../folder/session.js';
import type { FolderOptions, Session } from '../folder/session.js';
import {
  addWalkOptions,
  beyondAllKnown,
  HOPS_OPTION,
  MAX_SECONDS,
  requireWindow,
} from '../terminal/trace-options.js';
import { lookOf, recordedLines, withLookOptions } from '../terminal/who-looks.js';
import type { LookOptions } from '../terminal/who-looks.js';

const LISTED = 20;

interface ClusterOptions extends FolderOptions, LookOptions {
  readonly cases: string;
  readonly hops: number;
  readonly from?: number;
  readonly to?: number;
  readonly minSeconds: number;
  readonly latentSeconds: number;
  readonly infectiousSeconds?: number;
  readonly incubationSeconds: number;
  readonly gateways: boolean;
  readonly list: number;
  readonly json?: string;
  readonly policy?: string;
}

type AskedPolicy = Awaited<ReturnType<typeof policyOption>>;

export function addClusterCommand(program: Command): void {
  const command = withFolderOptions(
    program
      .command('cluster')
      .description('rank what several cases have in common; the look is recorded before it is answered'),
  ).requiredOption(
    '--cases <file>',
    `the cases: a tag number a line, and the onset after it where it is known ${TIME_FORMAT}`,
  );
  const windowed = withLookOptions(command)
    .option(...HOPS_OPTION)
    .option(
      '--from <time>',
      `start of the window ${TIME_FORMAT}; the first contact or stay by default`,
      time('--from'),
    )
    .option(
      '--to <time>',
      `end of the window ${TIME_FORMAT}; the last contact or stay by default`,
      time('--to'),
    );
  addWalkOptions(windowed)
    .option(
      '--incubation-seconds <s>',
      'from exposure until a person falls ill, at least',
      wholeNumber(0, MAX_SECONDS),
      0,
    )
    .option('--no-gateways', 'weigh people only, not the places where gateways saw the cases')
    .option(
      '--list <n>',
      `how many sources to list, 1 to ${MAX_SOURCES}`,
      wholeNumber(1, MAX_SOURCES),
      LISTED,
    )
    .option('--json <file>', 'write the answer as JSON')
    .option(...POLICY_OPTION)
    .action((options: ClusterOptions) => run(options));
}

async function run(options: ClusterOptions): Promise<void> {
  const { json } = options;
  requireWindow(options);
  const cases = await readCasesFile(options.cases);
  const kept = { dataDir: options.dataDir, inputs: [options.cases, options.policy] };
  await requireWritable(json === undefined ? {} : { json }, kept);
  const asked = await policyOption(options.policy);
  await inFolder('cluster', options, async (session) => {
    requireWindow(options, session.clock.nowMs());
    const question = questionOf(options, cases);
    const { result, accessIndex } = await ask(session, question, asked);
    console.log(recordedLines(accessIndex, question, options).join('\n'));
    const beyond = result.known === undefined ? beyondAllKnown(options, result) : undefined;
    if (beyond !== undefined) console.log(`${beyond}\n`);
    await showCluster(result, { json, gateways: await gatewayNames(session.folder) });
  });
}

function questionOf(options: ClusterOptions, cases: ClusterCase[]): ClusterLookUp {
  const { hops, minSeconds, latentSeconds, incubationSeconds, gateways, list } = options;
  const { from, to, infectiousSeconds } = options;
  return {
    ...lookOf(options),
    request: {
      ...{ cases, hops, minSeconds, latentSeconds, incubationSeconds, gateways, list },
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(infectiousSeconds !== undefined && { infectiousSeconds }),
    },
  };
}

const ask = (session: Session, question: ClusterLookUp, asked: AskedPolicy): Promise<ClusterAnswer> =>
  askOnFolder(session, asked, {
    running: (url, token) => askCluster(url, token, question, session.signal),
    lone: (tracer) => answerCluster(tracer, question, session.signal),
  });

/** Fills in the window where the question leaves it open, records the look, answers. */
async function answerCluster(
  tracer: Tracer,
  { officer, purpose, request }: ClusterLookUp,
  signal: AbortSignal,
): Promise<ClusterAnswer> {
  return tracer.lookUpCluster(wholeClusterRequest(request, tracer), { officer, purpose }, signal);
}
