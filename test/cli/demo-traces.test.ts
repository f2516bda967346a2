/**
 * The whole path on recordings, against traces made by an independent implementation of docs/tracing.md
 * (vectors/traces.json): person for person, second for second, and each step with its evidence in the ledger. Where the
 * recordings are not at hand, the built-in scenario against the plain reference of test/firmware-sim.
 */
import { setMaxListeners } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createDeployment } from '../../cli/folder/deployment.js';
import { walkPath } from '../../cli/demo/path.js';
import type { PathOutcome } from '../../cli/demo/path.js';
import { folderAt } from '../../cli/folder/folder.js';
import { openFolderReader } from '../../cli/parts/ledger.js';
import type { ContactRecording } from '../../firmware-sim/recorded/contact-recording.js';
import { readContactsFile } from '../../firmware-sim/recorded/contacts-file.js';
import { wardAndHub } from '../../firmware-sim/scenario/scenario.js';
import { REPLAY_SETTINGS } from '../../protocol/settings.js';
import type { PathStep, TraceRequest, TraceResult } from '../../tracer/looks/trace-result.js';
import { forwardTrace } from '../firmware-sim/reference-trace.js';
import { recordedFile } from '../recordings.js';
import { allDayKeys, loggedEntries, openLoggedReports } from './logged-reports.js';
import type { LoggedReport } from './logged-reports.js';

const row = z.tuple([z.int(), z.int(), z.int()]);
const vector = z.object({
  file: z.string(),
  case: z.string(),
  direction: z.enum(['forward', 'backward']),
  hops: z.int(),
  latentSeconds: z.int(),
  minSeconds: z.int(),
  infectiousSeconds: z.int().optional(),
  /** person → [hop, exposedAt, earliestAt] */
  reached: z.record(z.string(), row),
});
type Vector = z.infer<typeof vector>;

const vectors = z
  .object({ traces: z.array(vector) })
  .parse(JSON.parse(await readFile(new URL('../vectors/traces.json', import.meta.url), 'utf8'))).traces;

const present = [...new Set(vectors.map(({ file }) => file))].flatMap((name) => {
  const path = recordedFile(name);
  return path === undefined ? [] : [{ name, path }];
});

const LOOK = { officer: 'a test', purpose: 'to compare' };
/** Of the whole path for the largest file, on a busy machine. */
const WALK_PATIENCE_MS = 240_000;

interface Walked {
  readonly outcome: PathOutcome;
  readonly recording: ContactRecording;
  readonly ask: (request: Omit<TraceRequest, 'from' | 'to'>) => Promise<TraceResult>;
  /** Closes the path, then opens what its ledger holds. */
  readonly reports: () => Promise<ReadonlyMap<number, LoggedReport>>;
  readonly remove: () => Promise<void>;
}

async function walk(recording: ContactRecording): Promise<Walked> {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-traces-'));
  const folder = folderAt(join(dir, 'data'));
  const config = await createDeployment(folder, { settings: REPLAY_SETTINGS });
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const { signal } = new AbortController();
  setMaxListeners(0, signal); // each session listens while it lasts
  const outcome = await walkPath({ folder, config, recording, log, signal, onProgress: () => {} });
  const span = { from: recording.startMs / 1000, to: recording.endMs / 1000 };
  return {
    outcome,
    recording,
    ask: async (request) => (await outcome.tracer.lookUp({ ...request, ...span }, LOOK)).result,
    reports: async () => {
      await outcome.close();
      const reader = await openFolderReader(folder, config);
      const entries = await loggedEntries(reader, config);
      const reports = await openLoggedReports(reader, entries, await allDayKeys(folder));
      await reader.close();
      return new Map(reports.map((report) => [report.index, report]));
    },
    remove: async () => {
      await outcome.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const rowsOf = ({ reached }: TraceResult) =>
  Object.fromEntries(reached.map((found) => [found.person, [found.hop, found.exposedAt, found.earliestAt]]));

/** Evidence is a report of one of the two about the other, and all of it together gives the step's span. */
function expectEvidence(step: PathStep, reports: ReadonlyMap<number, LoggedReport>): void {
  const pair = [Number(step.from), Number(step.to)];
  const found = step.ledger.map((index) => reports.get(index));
  const tellers = found.map((report) => report?.tag);
  expect(step.ledger.length).toBeGreaterThan(0);
  expect(new Set(tellers).size).toBe(step.mutual ? 2 : 1);
  for (const report of found) {
    expect(pair).toContain(report?.tag);
    expect(report?.peers).toContain(pair.find((tag) => tag !== report?.tag));
  }
  const records = found.flatMap((report) => report?.plaintext.records ?? []);
  const spans = records.map(({ start, durationSeconds }) => [start, start + durationSeconds]);
  expect(spans.some(([start]) => start === step.start)).toBe(true);
  expect(spans.some(([, end]) => end === step.end)).toBe(true);
}

describe.each(present)('the path of $name', ({ name, path }) => {
  let walked: Walked;
  const results: TraceResult[] = [];
  const asked = vectors.filter(({ file }) => file === name);
  beforeAll(async () => void (walked = await walk(await readContactsFile(path))), WALK_PATIENCE_MS);
  afterAll(() => walked?.remove());

  it.each(asked.map((each) => [nameOf(each), each] as const))(
    'gives the trace %s',
    async (_name, expected) => {
      const { case: who, direction, hops, latentSeconds, minSeconds, infectiousSeconds, reached } = expected;
      const result = await walked.ask({
        case: who,
        direction,
        hops,
        latentSeconds,
        minSeconds,
        ...(infectiousSeconds !== undefined && { infectiousSeconds }),
      });
      results.push(result);
      expect(rowsOf(result)).toEqual(reached);
      expect(result.reached.length).toBe(Object.keys(reached).length);
    },
  );

  it('rests each step of each path on reports in the ledger', async () => {
    const reports = await walked.reports();
    const steps = results.flatMap(({ reached }) => reached.flatMap(({ path }) => path));
    expect(results).toHaveLength(asked.length);
    expect(steps.length).toBeGreaterThan(0);
    for (const step of steps) expectEvidence(step, reports);
  });
});

describe.runIf(present.length === 0)('the path of the built-in scenario', () => {
  const { recording, indexCase } = wardAndHub();
  let walked: Walked;
  beforeAll(async () => void (walked = await walk(recording)), WALK_PATIENCE_MS);
  afterAll(() => walked?.remove());

  it.each([0, 3_600])('gives the forward trace of the index case, latent for %i s', async (latentSeconds) => {
    const settings = { hops: 3, latentSeconds, minSeconds: 900 };
    const result = await walked.ask({ case: String(indexCase), direction: 'forward', ...settings });
    const expected = [...forwardTrace(recording, indexCase, settings)];
    expect(expected.length).toBeGreaterThan(0);
    expect(rowsOf(result)).toEqual(
      Object.fromEntries(expected.map(([person, found]) => [String(person), found])),
    );
  });

  it('rests each step of each path on reports in the ledger', async () => {
    const request = { hops: 3, latentSeconds: 0, minSeconds: 900 };
    const { reached } = await walked.ask({ case: String(indexCase), direction: 'forward', ...request });
    const reports = await walked.reports();
    for (const step of reached.flatMap(({ path }) => path)) expectEvidence(step, reports);
  });
});

function nameOf({ case: who, direction, latentSeconds, minSeconds, infectiousSeconds }: Vector): string {
  const infectious = infectiousSeconds === undefined ? '' : `, infectious for ${infectiousSeconds} s`;
  return `${direction} of ${who}, latent for ${latentSeconds} s${infectious}, from ${minSeconds} s`;
}
