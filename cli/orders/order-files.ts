/**
 * An order to a running authority, as files in authority/orders. Its name says how far it has come, and each step is one
 * rename or removal, so that of the two sides exactly one has its way:
 *
 *     ID.json     waits: {givenMs, order}, wall ms. Whoever gave it may still take it back, by removing it
 *     ID.taken    the same file from when the authority begins with it; one that no authority works on any more may have
 *                 been carried out or not
 *     ID.answer   how it ended: {outcome, message}
 */
import { join } from 'node:path';
import { z } from 'zod';
import { MAX_NOTICE_TAGS } from '../../authority/notices/notice-desk.js';

const order = z.discriminatedUnion('what', [
  z.strictObject({
    what: z.literal('notify'),
    day: z.int().min(0),
    code: z.int().min(0).max(255),
    tags: z.array(z.int().min(0)).min(1).max(MAX_NOTICE_TAGS),
    /** Takes the oldest notices off when there is no room for one more. */
    dropOldest: z.boolean().optional(),
  }),
  z.strictObject({ what: z.literal('retain') }),
  z.strictObject({ what: z.literal('status') }),
  z.strictObject({ what: z.literal('revoke'), gatewayId: z.string().regex(/^[0-9a-f]{32}$/) }),
]);
export type Order = z.infer<typeof order>;

export const orderFile = z.strictObject({ givenMs: z.int(), order });

/**
 * `refused`: nothing of it was done, or the message says what. `unknown`: it was begun, and may have been carried out, or a
 * part of it.
 */
export const orderAnswer = z.strictObject({
  outcome: z.enum(['done', 'refused', 'unknown']),
  message: z.string(),
});
export type OrderAnswer = z.infer<typeof orderAnswer>;

export interface OrderFiles {
  readonly waiting: string;
  readonly taken: string;
  readonly answer: string;
}

/** Where the files of one order are. */
export function orderFiles(dir: string, id: string): OrderFiles {
  const file = (ending: string) => join(dir, `${id}.${ending}`);
  return { waiting: file('json'), taken: file('taken'), answer: file('answer') };
}

/** The orders among the files of a folder that have come this far. */
export const ordersThat = (state: keyof OrderFiles, names: readonly string[]): string[] =>
  names.flatMap((name) => NAMES[state].exec(name)?.[1] ?? []);

const named = (ending: string) => new RegExp(`^([0-9a-f-]{36})\\.${ending}$`);
const NAMES = { waiting: named('json'), taken: named('taken'), answer: named('answer') } as const;
