/** A question about several cases to a running tracer and its answer, as JSON: each parsed once, where it comes in. */
import { z } from 'zod';
import { recordedWords } from '../recorded-words.js';
import {
  count,
  hops,
  missingReports,
  path,
  presenceFrom,
  score,
  step,
  tag,
  time,
  walkSettings,
} from '../row-message.js';
import { MAX_HOPS } from '../trace-result.js';
import { MAX_CASES, MAX_SOURCES, MIN_CASES } from './cluster-result.js';
import type { ClusterResult } from './cluster-result.js';

const MAX_SECONDS = 10 ** 9;

const seconds = z.int().min(0).max(MAX_SECONDS);
const cases = z
  .array(z.strictObject({ tag, onset: time.exactOptional() }))
  .min(MIN_CASES)
  .max(MAX_CASES);

const settings = {
  cases,
  ...walkSettings,
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

const result: z.ZodType<ClusterResult> = z.strictObject({
  ...settings,
  from: time,
  to: time,
  sources: z.array(z.discriminatedUnion('kind', [personSource, gatewaySource])).max(MAX_SOURCES),
  sourceCount: count,
  presenceFrom,
  missingReports,
  unreached: z.array(tag).max(MAX_CASES),
  unknown: z.array(tag).max(MAX_CASES),
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
