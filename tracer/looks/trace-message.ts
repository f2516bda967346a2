/**
 * A question to a running tracer and its answer, as JSON: each parsed once, where it comes in. Evidence is in
 * base64.
 */
import { z } from 'zod';
import { recordedWords } from './recorded-words.js';
import {
  count,
  known,
  missingReports,
  presenceFrom,
  reachedPerson,
  tag,
  time,
  walkQuestion,
  walkSettings,
} from './row-message.js';
import type { Answer } from './look-ups.js';

/** As many as a question has room for. */
export const MAX_EVIDENCE_PERSONS = 500;
/** People in each list of an answer: several answers are held at once, and a row takes about 400 bytes. */
export const MAX_LISTED = 100_000;

const direction = z.enum(['forward', 'backward', 'both']);
/** What an answer repeats, beside how walks went. */
const settings = { case: tag.describe('the index case'), direction };

const OR_STAY = '; with presence the stays at gateways count too';

export const lookUpSchema = z.strictObject({
  officer: recordedWords,
  purpose: recordedWords,
  request: z.strictObject({
    ...settings,
    ...walkQuestion,
    from: time.optional().describe(`when absent, the first contact${OR_STAY}`),
    to: time.optional().describe(`when absent, the last contact${OR_STAY}`),
    list: count
      .max(MAX_LISTED, `at most ${MAX_LISTED} people are listed; all are counted`)
      .exactOptional()
      .describe('people in each list at most, 10,000 when absent; all are counted'),
  }),
  /** Absent when no evidence is asked for; of everybody in the answer when nobody is named. */
  evidence: z
    .strictObject({ persons: z.array(tag).min(1).max(MAX_EVIDENCE_PERSONS).exactOptional() })
    .exactOptional(),
});

export type LookUp = z.infer<typeof lookUpSchema>;
export type LookUpAnswer = Answer;

export const answerSchema: z.ZodType<LookUpAnswer> = z.object({
  accessIndex: count,
  evidence: z
    .base64()
    .transform((text) => new Uint8Array(Buffer.from(text, 'base64')))
    .exactOptional(),
  result: z.object({
    ...settings,
    ...walkSettings,
    from: time,
    to: time,
    list: count.exactOptional(),
    reachedCount: count.describe('listed or not'),
    reached: z.array(reachedPerson),
    sourceCount: count.exactOptional().describe('listed or not'),
    sources: z.array(reachedPerson).exactOptional(),
    presenceFrom,
    known,
    missingReports,
  }),
});
