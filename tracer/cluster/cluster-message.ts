/** A question about several cases to a running tracer and its answer, as JSON: each parsed once, where it comes in. */
import { z } from 'zod';
import { MAX_CASES, MAX_SOURCES, MIN_CASES } from './cluster-result.js';
import type { ClusterResult } from './cluster-result.js';

const MAX_TEXT = 256;
const MAX_HOPS = 16;
const MAX_SECONDS = 10 ** 9;
/** No walk is longer. */
const MAX_STEPS = MAX_HOPS;

const tag = z.string().regex(/^(0|[1-9]\d{0,14})$/, 'a tag number in decimal digits');
const time = z.int().min(0);
const seconds = z.int().min(0).max(MAX_SECONDS);
const count = z.int().min(0);
const share = z.number().min(0).max(1);
const cases = z
  .array(z.strictObject({ tag, onset: time.exactOptional() }))
  .min(MIN_CASES)
  .max(MAX_CASES);

const settings = {
  cases,
  hops: z.int().min(1).max(MAX_HOPS),
  minSeconds: seconds,
  latentSeconds: seconds,
  infectiousSeconds: seconds.exactOptional(),
  attenuation: z.enum(['immediate', 'near', 'medium']).exactOptional(),
  presence: z.boolean().exactOptional(),
  incubationSeconds: seconds.exactOptional(),
  gateways: z.boolean().exactOptional(),
  list: z.int().min(1).max(MAX_SOURCES).exactOptional(),
};

export const clusterLookUpSchema = z.strictObject({
  officer: z.string().min(1).max(MAX_TEXT),
  purpose: z.string().min(1).max(MAX_TEXT),
  request: z.strictObject({
    ...settings,
    from: time.exactOptional().describe('the first contact when absent'),
    to: time.exactOptional().describe('the last contact when absent'),
  }),
});
export type ClusterLookUp = z.infer<typeof clusterLookUpSchema>;

const step = z.strictObject({
  from: tag,
  to: tag,
  start: time,
  end: time,
  nearSeconds: seconds,
  mutual: z.boolean(),
  ledger: z.array(count),
  gateway: z.string().max(32).exactOptional(),
});

const ranked = { score: share, othersReached: count, othersExpected: z.number().min(0) };

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
        hop: z.int().min(1).max(MAX_HOPS),
        score: share,
        passedOnBy: time,
        path: z.array(step).max(MAX_STEPS),
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
  unreached: z.array(tag).max(MAX_CASES),
  tree: z.strictObject({
    roots: z.array(tag).max(MAX_CASES + 1),
    edges: z.array(step).max(MAX_CASES * MAX_STEPS),
    logLikelihood: z.number(),
  }),
});

export interface ClusterAnswer {
  readonly result: ClusterResult;
  /** The ledger entry that records this look. */
  readonly accessIndex: number;
}

export const clusterAnswerSchema: z.ZodType<ClusterAnswer> = z.strictObject({ accessIndex: count, result });
