/** What questions and answers about people are made of, as JSON; the same in each of them. Times are unix seconds. */
import { z } from 'zod';
import { DEFAULT_HOPS, DEFAULT_LATENT_SECONDS, DEFAULT_MIN_SECONDS, MAX_HOPS } from './trace-result.js';
import type { ReachedPerson } from './trace-result.js';

export const tag = z.string().regex(/^(0|[1-9]\d{0,14})$/, 'a tag number in decimal digits');
export const count = z.int().min(0);
export const time = z.int().min(0);
export const seconds = z.int().min(0);
/** Of an answer by presence. */
export const presenceFrom = time
  .exactOptional()
  .describe('stays are known from here on, earlier ones had to go; absent where all of the window is known');
export const known = z
  .object({ from: time, to: time })
  .exactOptional()
  .describe(
    'what time is known; present only where all of the window lies before or after it: then that nobody was found says nothing',
  );
export const missingReports = count
  .exactOptional()
  .describe(
    'reports and approvals of gateways that the ledger has lost or holds damaged: people may be missing here where it is not 0',
  );
export const hops = z.int().min(1).max(MAX_HOPS, `hops must be 1 to ${MAX_HOPS}`);
export const attenuation = z.enum(['immediate', 'near', 'medium']);
/** How walks went, in every answer that rests on some. */
export const walkSettings = {
  hops,
  minSeconds: seconds,
  latentSeconds: seconds,
  infectiousSeconds: seconds.exactOptional(),
  attenuation: attenuation.exactOptional(),
  presence: z.boolean().exactOptional(),
};
/** How walks should go, in every question that asks for some. */
export const walkQuestion = {
  ...walkSettings,
  hops: hops.default(DEFAULT_HOPS).describe('how many contacts away to look'),
  minSeconds: seconds
    .default(DEFAULT_MIN_SECONDS)
    .describe('near this long within 24 hours makes a contact qualify'),
  latentSeconds: seconds
    .default(DEFAULT_LATENT_SECONDS)
    .describe('from exposure until a person infects others'),
};
/** How likely, between a source and one who was reached: it ranks the work of a health officer, and is no diagnosis. */
export const score = z.number().min(0).max(1);

export const step = z.object({
  from: tag,
  to: tag,
  start: time,
  end: time,
  nearSeconds: seconds,
  mutual: z.boolean().describe('both tags noticed'),
  ledger: z.array(count).describe('the entries of the ledger it rests on; none of a co-presence'),
  gateway: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .exactOptional()
    .describe('of a step by co-presence: where they were together'),
});

/** No walk is longer. */
export const path = z.array(step).max(MAX_HOPS);

/** A row of a trace. */
export const reachedPerson: z.ZodType<ReachedPerson> = z.object({
  person: tag,
  hop: hops.describe('contacts between this person and where the path begins'),
  exposedAt: time,
  earliestAt: time,
  score,
  path,
  source: tag.exactOptional().describe('in a trace both ways: where the path begins'),
});
