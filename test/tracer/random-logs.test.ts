/**
 * Random worlds, in which a tracer is closed and killed wherever it stands while reports come late, twice or never and days leave
 * retention: it answers as one that reads all of the log in one go, and of what it answers there is evidence that holds, or a
 * refusal that says from when on there is. `FIREBREAK_RANDOM_LOGS` is how many worlds, `FIREBREAK_RANDOM_SEED` which.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asError, FirebreakError } from '../../protocol/errors.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import type { ReachedPerson, TraceRequest, TraceResult } from '../../tracer/looks/trace-result.js';
import type { Tracer } from '../../tracer/tracer.js';
import type { AttenuationClass } from '../../tracer/walk/lens.js';
import { standingIn } from './contacts/all-contacts.js';
import { issuer } from './deployment.js';
import { asTraced, check, look } from './evidence-stage.js';
import { RandomLife } from './random-life.js';
import type { Turn } from './random-life.js';
import { FIRST_DAY, world } from './random-world.js';
import type { World } from './random-world.js';

const DEFAULT_WORLDS = 20;
const WORLDS = positiveFrom('FIREBREAK_RANDOM_LOGS', DEFAULT_WORLDS);
const FIRST_SEED = positiveFrom('FIREBREAK_RANDOM_SEED', 1);

function positiveFrom(variable: string, otherwise: number): number {
  const given = process.env[variable] ?? String(otherwise);
  if (!/^0*[1-9]\d{0,8}$/.test(given))
    throw new Error(`${variable} is a whole number from 1, not "${given}"`);
  return Number(given);
}

type Left = 'infectiousSeconds' | 'attenuation' | 'list';

/** A question whose window is told by the border of retention as it stands when it is asked. */
interface Question extends Omit<TraceRequest, 'case' | 'from' | 'to' | Left> {
  readonly case: number;
  readonly begins: { readonly since: 'border' | 'first'; readonly seconds: number };
  readonly lasts: number;
  readonly infectiousSeconds: number | undefined;
  readonly attenuation: AttenuationClass | undefined;
  readonly list: number | undefined;
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const question: fc.Arbitrary<Question> = fc.record({
  ...{ case: fc.nat(), direction: fc.constantFrom('forward', 'backward', 'both') },
  ...{ hops: fc.integer({ min: 1, max: 3 }), minSeconds: fc.constantFrom(0, 0, 60, 300, 900) },
  latentSeconds: fc.constantFrom(0, 0, 0, 3_600, DAY_SECONDS),
  infectiousSeconds: optional(fc.constantFrom(7_200, 2 * DAY_SECONDS)),
  attenuation: optional(fc.constantFrom('immediate', 'near', 'medium')),
  presence: fc.boolean(),
  list: optional(fc.integer({ min: 1, max: 3 })),
  begins: fc.oneof(
    fc.record({ since: fc.constant('first' as const), seconds: fc.nat({ max: 5 * DAY_SECONDS }) }),
    fc.record({
      since: fc.constant('border' as const),
      seconds: fc.oneof(
        fc.constantFrom(-DAY_SECONDS, -1_000, 0, DAY_SECONDS + 2_700),
        fc.integer({ min: -1_000, max: 1_000 }),
      ),
    }),
  ),
  lasts: fc.constantFrom(DAY_SECONDS, 20 * DAY_SECONDS, 20 * DAY_SECONDS),
});

interface Step {
  readonly after: number;
  readonly turn: Turn;
  readonly asks: readonly Question[];
}

interface Story {
  readonly world: World;
  readonly steps: readonly Step[];
  readonly asks: readonly Question[];
  /** Days after the last report. */
  readonly passes: number;
  readonly later: readonly Pick<Step, 'turn' | 'asks'>[];
}

const turn: fc.Arbitrary<Turn> = fc.constantFrom(
  'reads',
  'settles',
  'is closed',
  'is killed',
  'is killed after a while',
);
const asked = fc.array(question, { minLength: 3, maxLength: 5 });
const step: fc.Arbitrary<Step> = fc.record({
  ...{ after: fc.integer({ min: 1, max: 8 }), turn },
  asks: fc.oneof({ weight: 6, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: asked }),
});

const story: fc.Arbitrary<Story> = fc.record({
  world,
  steps: fc.array(step, { minLength: 5, maxLength: 12, size: 'max' }),
  asks: asked,
  passes: fc.nat({ max: 4 }),
  later: fc.array(fc.record({ turn: fc.oneof(turn, fc.constant('is closed' as const)), asks: asked }), {
    minLength: 1,
    maxLength: 3,
  }),
});

/** What was met in all worlds: a test of nothing would pass too. */
const met = { answers: 0, nobody: 0, shown: 0, refused: 0, advised: 0, segments: 0, sealedDays: 0 };

const requestOf = ({ begins, lasts, ...rest }: Question, { people }: World, border: number): TraceRequest => {
  const since = begins.since === 'border' ? border : FIRST_DAY * DAY_SECONDS;
  const from = since + begins.seconds;
  const { infectiousSeconds, attenuation, list, ...asked } = rest;
  return {
    ...{ ...asked, case: String(1 + (rest.case % people)), from, to: from + lasts },
    ...(infectiousSeconds !== undefined && { infectiousSeconds }),
    ...(attenuation !== undefined && { attenuation }),
    ...(list !== undefined && { list }),
  };
};

/** Rounding differs with the order in which contacts lie: the last digits of a score are nobody's answer. */
const rounded = (row: ReachedPerson): ReachedPerson => ({ ...row, score: Number(row.score.toFixed(12)) });
const roundedResult = (result: TraceResult): TraceResult => ({
  ...result,
  reached: result.reached.map(rounded),
  ...(result.sources && { sources: result.sources.map(rounded) }),
});

/** Each look is an entry of its own. */
const LOOKED_AS = / as ledger entry \d+$/;

/** The answer, or the words that there is none, whatever entry the look is. */
const answerOf = (tracer: Tracer, request: TraceRequest): Promise<TraceResult | string> =>
  tracer.lookUp(request, look).then(
    ({ result }) => result,
    (error: unknown) => {
      if (error instanceof FirebreakError && error.code === 'not-found')
        return error.message.replace(LOOKED_AS, '');
      throw error;
    },
  );

/** Evidence that was checked as whoever gets it does, or the refusal. */
async function evidenceOn(
  tracer: Tracer,
  request: TraceRequest,
  persons?: readonly string[],
): Promise<string | undefined> {
  // prettier-ignore
  try {
    const { result, evidence = new Uint8Array() } = await tracer.lookUp(request, look, persons ? { persons } : {}); // prettier-ignore
    const shown = check(evidence, { issuerPublicKey: issuer.publicKey });
    const isShown = ({ person }: ReachedPerson) => persons?.includes(person) ?? true;
    expect(asTraced(shown.reached)).toEqual(result.reached.filter(isShown));
    if (!persons) expect(asTraced(shown.sources)?.slice(0, result.sources?.length)).toEqual(result.sources);
    met.shown += 1;
    return undefined;
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

const ADVICE = /^not-found: .*begin the window at (\S+) or later/;
/** A later window may hold none of a case's contacts. */
const NOBODY =
  /^not-found: case \d+ is in no contact that is known: (check the number|what there was [^;]+)(; [^;]+ could not be read, which may be why)?; the look is recorded as ledger entry \d+$/;

/** There is evidence, or from when on is said, and holds. */
async function expectEvidence(
  tracer: Tracer,
  request: TraceRequest,
  persons?: readonly string[],
): Promise<void> {
  // prettier-ignore
  const refusal = await evidenceOn(tracer, request, persons);
  if (refusal === undefined) return;
  expect(refusal, JSON.stringify(request)).toMatch(ADVICE);
  met.refused += 1;
  const from = Date.parse(ADVICE.exec(refusal)?.[1] ?? '') / 1000;
  expect(from).toBeGreaterThan(request.from);
  if (from > request.to) return;
  const again = await evidenceOn(tracer, { ...request, from });
  if (again === undefined) met.advised += 1;
  else expect(again, JSON.stringify({ ...request, from })).toMatch(NOBODY);
}

/** What was made of the reports, whatever the order it was found in. */
function madeOf(tracer: Tracer) {
  const { counts, presence, gaps, prunedPayloads, missingPayloads } = tracer.status();
  const evidence = tracer.doubts().map((one) => JSON.stringify(one));
  return {
    counts,
    presence,
    gaps,
    prunedPayloads,
    missingPayloads,
    evidence: evidence.sort(),
    contacts: standingIn(tracer),
  };
}

async function ask(life: RandomLife, where: World, questions: readonly Question[]): Promise<void> {
  if (questions.length === 0) return;
  await life.reads();
  const inOneGo = await life.inOneGo();
  expect(madeOf(life.tracer)).toEqual(madeOf(inOneGo));
  for (const one of questions) {
    const request = requestOf(one, where, life.border);
    const [ours, theirs] = [await answerOf(life.tracer, request), await answerOf(inOneGo, request)];
    if (typeof ours === 'string' || typeof theirs === 'string') {
      expect(ours).toEqual(theirs);
      met.nobody += 1;
      continue;
    }
    expect(roundedResult(ours), JSON.stringify(request)).toEqual(roundedResult(theirs));
    met.answers += 1;
    await expectEvidence(life.tracer, request);
    const person = ours.reached[one.case % Math.max(1, ours.reached.length)]?.person;
    if (person !== undefined) await expectEvidence(life.tracer, request, [person]);
  }
}

async function sealedDaysIn(folder: string): Promise<number> {
  const names = await readdir(folder);
  const kept = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return kept.filter((bytes) => bytes.subarray(0, 4).toString() === 'FBRB').length;
}

describe('a tracer in a random world', () => {
  let dir = '';
  let folders = 0;
  beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'firebreak-random-logs-'))));
  afterAll(() => rm(dir, { recursive: true }));

  async function liveThrough({ world: where, steps, asks, passes, later }: Story): Promise<void> {
    const folder = join(dir, String(folders++));
    const life = new RandomLife(where, folder);
    await life.begin();
    const left = [...where.deliveries];
    for (const { after, turn: next, asks: now } of steps) {
      for (const delivery of left.splice(0, after)) await life.take(delivery);
      await life.turn(next);
      await ask(life, where, now);
    }
    for (const delivery of left) await life.take(delivery);
    await ask(life, where, asks);
    await life.passTo(life.log.nowMs / 1000 + passes * DAY_SECONDS);
    for (const { turn: next, asks: now } of later) {
      await life.turn(next);
      await ask(life, where, now);
    }
    met.segments += life.contacts.status().segments;
    met.sealedDays += await sealedDaysIn(join(folder, 'contacts'));
    await life.end();
  }

  it('answers as one that read everything in one go, with evidence that holds or words that say when', async () => {
    const failures: string[] = [];
    for (let seed = FIRST_SEED; seed < FIRST_SEED + WORLDS; seed++) {
      const [told] = fc.sample(story, { numRuns: 1, seed });
      if (told === undefined) continue;
      await liveThrough(told).catch((error: unknown) => {
        failures.push(`FIREBREAK_RANDOM_SEED=${seed} FIREBREAK_RANDOM_LOGS=1: ${asError(error).message}`);
      });
    }
    expect(failures).toEqual([]);
    if (WORLDS >= DEFAULT_WORLDS)
      for (const [what, count] of Object.entries(met)) expect(count, what).toBeGreaterThan(WORLDS / 20);
  });
});
