/** A question to a running tracer and its answer, as JSON: each parsed once, where it comes in. Evidence is in base64. */
import { z } from 'zod';
import type { Answer } from './tracer.js';

const MAX_TEXT = 256;
/** As many as a question has room for. */
export const MAX_EVIDENCE_PERSONS = 500;

const attenuation = z.enum(['immediate', 'near', 'medium']);

export const lookUpSchema = z.strictObject({
  officer: z.string().min(1).max(MAX_TEXT),
  purpose: z.string().min(1).max(MAX_TEXT),
  request: z.strictObject({
    case: z.string().max(20),
    direction: z.enum(['forward', 'backward', 'both']),
    hops: z.int(),
    /** The first contact when absent. */
    from: z.int().min(0).optional(),
    /** The last contact when absent. */
    to: z.int().min(0).optional(),
    minSeconds: z.int().min(0),
    latentSeconds: z.int().min(0),
    infectiousSeconds: z.int().min(0).optional(),
    attenuation: attenuation.exactOptional(),
    presence: z.boolean().exactOptional(),
    list: z.int().min(0).exactOptional(),
  }),
  /** Absent when no evidence is asked for; of everybody in the answer when nobody is named. */
  evidence: z
    .strictObject({
      persons: z.array(z.string().max(15)).min(1).max(MAX_EVIDENCE_PERSONS).exactOptional(),
    })
    .exactOptional(),
});

export type LookUp = z.infer<typeof lookUpSchema>;
export type LookUpAnswer = Answer;

const step = z.object({
  from: z.string(),
  to: z.string(),
  start: z.number(),
  end: z.number(),
  nearSeconds: z.number(),
  mutual: z.boolean(),
  ledger: z.array(z.number()),
  gateway: z.string().exactOptional(),
});

const reached = z.object({
  person: z.string(),
  hop: z.int(),
  exposedAt: z.number(),
  earliestAt: z.number(),
  score: z.number(),
  path: z.array(step),
  source: z.string().exactOptional(),
});

export const answerSchema: z.ZodType<LookUpAnswer> = z.object({
  accessIndex: z.int(),
  evidence: z
    .base64()
    .transform((text) => new Uint8Array(Buffer.from(text, 'base64')))
    .exactOptional(),
  result: z.object({
    case: z.string(),
    direction: z.enum(['forward', 'backward', 'both']),
    hops: z.int(),
    from: z.number(),
    to: z.number(),
    minSeconds: z.number(),
    latentSeconds: z.number(),
    infectiousSeconds: z.number().exactOptional(),
    attenuation: attenuation.exactOptional(),
    presence: z.boolean().exactOptional(),
    list: z.int().exactOptional(),
    reachedCount: z.int(),
    reached: z.array(reached),
    sourceCount: z.int().exactOptional(),
    sources: z.array(reached).exactOptional(),
  }),
});

/** An answer as it goes over HTTP: what {@link answerSchema} reads. */
export const answerJson = ({ evidence, ...answer }: LookUpAnswer): string =>
  JSON.stringify({ ...answer, ...(evidence && { evidence: Buffer.from(evidence).toString('base64') }) });
