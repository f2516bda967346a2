/** A question about several cases to a running tracer and its answer, as JSON: each parsed once, where it comes in. */
import { z } from 'zod';
import { recordedWords } from '../looks/recorded-words.js';
import {
  count,
  hops,
  known,
  missingReports,
  path,
  presenceFrom,
  score,
  step,
  tag,
  time,
  walkQuestion,
  walkSettings,
} from '../looks/row-message.js';
import { MAX_HOPS } from '../looks/trace-result.js';
import { MAX_CASES, MAX_SOURCES, MIN_CASES } from './cluster-result.js';
import type { ClusterResult } from './cluster-result.js';

const MAX_SECONDS = 10 ** 9;

const seconds = z.int().min(0).max(MAX_SECONDS);
const cases = z
  .array(z.strictObject({ tag, onset: time.exactOptional() }))
  .min(MIN_CASES)
  .max(MAX_CASES);

/** What an answer repeats, beside how walks went. */
const settings = {
  cases,
  incubationSeconds: seconds.exactOptional(),
  gateways: z.boolean().exactOptional(),
  list: z.int().min(1).max(MAX_SOURCES).exactOptional(),
};

const OR_STAY =
  '; the stays at gateways count too, unless gateways is false and the question goes without presence';

export const clusterLookUpSchema = z.strictObject({
  officer: recordedWords,
  purpose: recordedWords,
  request: z.strictObject({
    ...settings,
    ...walkQuestion,
    from: time.exactOptional().describe(`when absent, the first contact${OR_STAY}`),
    to: time.exactOptional().describe(`when absent, the last contact${OR_STAY}`),
  }),
});
export type ClusterLookUp = z.infer<typeof clusterLookUpSchema>;

const ranked = { score, othersReached: count, othersExpected: z.number().min(0) };

const personSource = z.strictObject({
  ...ranked,
  kind: z.literal('person'),
  person: tag,
  isCase: z.boolean(),
  infectiousBy: time,
  explains: z
    .array(
      z.strictObject({
        case: tag,
        hop: hops,
        score,
        passedOnBy: time,
        path,
      }),
    )
    .max(MAX_CASES),
});

const gatewaySource = z.strictObject({
  ...ranked,
  kind: z.literal('gateway'),
  gateway: z.string().regex(/^[0-9a-f]{32}$/),
  explains: z.array(z.strictObject({ case: tag, start: time, end: time, seconds: count })).max(MAX_CASES),
});

const someCases = z.array(tag).max(MAX_CASES);

const result: z.ZodType<ClusterResult> = z.strictObject({
  ...settings,
  ...walkSettings,
  from: time,
  to: time,
  sources: z.array(z.discriminatedUnion('kind', [personSource, gatewaySource])).max(MAX_SOURCES),
  sourceCount: count.describe('people and gateways with two cases or more in common, listed or not'),
  weighed: z
    .strictObject({
      people: count,
      gateways: count.exactOptional().describe('absent where none were looked at'),
    })
    .describe(
      'how many of them were weighed in full; one that was not may be as likely as one that is listed',
    ),
  presenceFrom,
  known,
  missingReports,
  unreached: someCases.describe('to whom no walk leads'),
  unknown: someCases.describe(
    'those in no contact at all, whom no gateway saw where gateways were looked at: check the number',
  ),
  onlySeen: someCases.describe('those in no contact at all whom gateways saw'),
  beforeWindow: someCases.describe(
    'those whose onset, less the incubation, is before the window: nothing was looked at; check the onset',
  ),
  tree: z.strictObject({
    roots: z.array(tag).max(MAX_CASES + 1),
    edges: z.array(step).max(MAX_CASES * MAX_HOPS),
    logLikelihood: z.number(),
  }),
});

export interface ClusterAnswer {
  readonly result: ClusterResult;
  /** The ledger entry that records this look. */
  readonly accessIndex: number;
}

export const clusterAnswerSchema: z.ZodType<ClusterAnswer> = z.strictObject({ accessIndex: count, result });
