/** What the API is asked and what it answers, as JSON; a trace and its answer are in looks/trace-message.ts. Times are unix seconds. */
import { z } from 'zod';
import { clusterLookUpSchema } from '../cluster/cluster-message.js';
import {
  count,
  missingReports,
  presenceFrom,
  reachedPerson,
  seconds,
  tag,
  walkQuestion,
} from '../looks/row-message.js';
import { lookUpSchema, MAX_EVIDENCE_PERSONS } from '../looks/trace-message.js';
import { REFUSAL_CODES } from './refusal-codes.js';

/** Contacts on one page. */
const MAX_PAGE = 1000;
const PAGE = 100;

const { purpose, officer, evidence, request: traceRequest } = lookUpSchema.shape;
/** Who asks stands in the token; only the folder's own token leaves it to the question. */
const asked = { officer: officer.exactOptional(), purpose };

export const traceQuestion = z.strictObject({ ...asked, request: traceRequest, evidence });
export type TraceQuestion = z.infer<typeof traceQuestion>;

export const evidenceQuestion = z.strictObject({
  ...asked,
  request: traceRequest,
  persons: z
    .array(tag)
    .min(1)
    .max(MAX_EVIDENCE_PERSONS)
    .exactOptional()
    .describe('whom the evidence shows; everybody in the answer when absent'),
});
export type EvidenceQuestion = z.infer<typeof evidenceQuestion>;

export const pathQuestion = z.strictObject({
  ...asked,
  request: traceRequest.extend({
    person: tag.describe('to whom the path leads, or in a backward trace from whom'),
  }),
});
export type PathQuestion = z.infer<typeof pathQuestion>;

const accessIndex = z.int().describe('the entry of the ledger that records this look');

export const pathAnswer = z.object({
  accessIndex,
  as: z.enum(['reached', 'source']).describe('one who may have been infected, or who may be the source'),
  person: reachedPerson,
  presenceFrom,
  missingReports,
});
export type PathAnswer = z.infer<typeof pathAnswer>;

export const contactsQuestion = z.strictObject({
  ...asked,
  request: z.strictObject({
    person: tag,
    from: seconds.exactOptional().describe('the first contact the tracer knows when absent'),
    to: seconds.exactOptional().describe('the last one when absent'),
    minSeconds: walkQuestion.minSeconds,
    limit: z.int().min(1).max(MAX_PAGE).default(PAGE),
    after: z.string().max(64).exactOptional().describe('`next` of the page before'),
  }),
});
export type ContactsQuestion = z.infer<typeof contactsQuestion>;

const contactRow = z.object({
  person: z.string().describe('with whom'),
  start: seconds,
  end: seconds,
  epoch: z.int().describe('quarter of an hour since 1970; with the pair it names the contact'),
  nearSeconds: seconds,
  attenuationDb: z.number().describe('the lower of the sides’ medians'),
  mutual: z.boolean().describe('both tags noticed'),
  qualifies: z.boolean(),
  ledger: z.array(z.int()),
});

export const contactsAnswer = z.object({
  accessIndex,
  person: z.string(),
  from: seconds,
  to: seconds,
  contacts: z.array(contactRow).describe('by start, then person; those that overlap the window'),
  next: z.string().exactOptional().describe('where the next page begins; absent on the last one'),
  missingReports,
});
export type ContactsAnswer = z.infer<typeof contactsAnswer>;

export const clusterQuestion = z.strictObject({ ...asked, request: clusterLookUpSchema.shape.request });
export type ClusterQuestion = z.infer<typeof clusterQuestion>;

/** Absent in the answer of a tracer from before there were any. */
const reportFigures = {
  clones: count
    .exactOptional()
    .describe(
      'reports that say something else than the one that stands under the same number of the same tag',
    ),
  reportGaps: count
    .exactOptional()
    .describe('reports that another names as the one before it and that have not come'),
  forgedRecords: count
    .exactOptional()
    .describe('records of tags and gateways whose beacons are nobody’s: replayed or forged'),
  refusedPresenceReports: count.exactOptional().describe('presence reports of gateways that failed a check'),
};

export const healthAnswer = z.object({
  well: z.boolean(),
  problems: z.array(z.string()).describe('what is not well, in words'),
  warnings: z
    .array(z.string())
    .describe('what somebody should look into, though answers are given, in words'),
  followsSince: seconds,
  ledgerSeenAt: seconds.nullable().describe('when the ledger answered last'),
  grewAt: seconds
    .nullable()
    .describe('when the tracer saw new entries last, or those there were when it was started'),
  readOnAt: seconds.nullable().describe('when all that the ledger had was taken in last'),
  failure: z
    .string()
    .nullable()
    .describe('why reading on failed when it was tried last; null when it did not'),
  entries: z.int().describe('entries of the ledger that are verified'),
  behind: z.int().describe('entries of the last checkpoint seen that are not taken in yet'),
  contacts: z.int(),
  people: z.int(),
  ...reportFigures,
  memoryBytes: z.object({ resident: z.int(), heap: z.int(), buffers: z.int() }),
});
export type HealthAnswer = z.infer<typeof healthAnswer>;

export const refusal = z.object({
  code: z.enum(REFUSAL_CODES).describe('stable, for programs'),
  message: z.string().describe('for people'),
});
