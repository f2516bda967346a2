/** A question to a running tracer, as JSON: parsed once, where it comes in. */
import { z } from 'zod';
import type { Answer } from './tracer.js';

const MAX_TEXT = 256;

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
  }),
});

export type LookUp = z.infer<typeof lookUpSchema>;
export type LookUpAnswer = Answer;
