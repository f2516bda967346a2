/**
 * What does not add up, as the API lists it: where in the ledger it stands and of which day it is. Nobody is named, and no report is
 * opened: who it is about would be a look at somebody. Pure.
 */
import { z } from 'zod';
import { MAX_KEPT } from '../intake/doubts.js';
import type { Doubt } from '../intake/doubts.js';
import { count } from '../looks/row-message.js';

/** Of each kind. */
export const MAX_LISTED = 1_000;

const day = z.int().describe('of the report: days since 1970, UTC');
const entry = z.int().describe('an entry of the ledger, counted from 0');

const shelfOf = <Row extends z.ZodType>(row: Row) =>
  z.object({
    kept: count.describe('kept of days within retention, listed or not'),
    isFull: z
      .boolean()
      .describe('no more are kept until days of these leave retention: what comes is in the figures only'),
    listed: z
      .array(row)
      .max(MAX_LISTED)
      .describe('by day, then by entry, the newest first; the first of them where there are more'),
  });

export const doubtsAnswer = z.object({
  clones: shelfOf(
    z.object({ day, ledger: z.tuple([entry, entry]).describe('the report that counts, and the other one') }),
  ).describe('two reports of one tag under one number with different contents: the tag was copied'),
  forgedBeacons: shelfOf(
    z.object({ day, ledger: z.tuple([entry]), record: z.int().describe('its place in the report, from 0') }),
  ).describe('records of tags and gateways whose beacons are nobody’s: replayed or forged'),
});
export type DoubtsAnswer = z.infer<typeof doubtsAnswer>;

export function doubtsIn(doubts: readonly Doubt[]): DoubtsAnswer {
  const clones = doubts.filter((one) => one.kind === 'clone');
  const forged = doubts.filter((one) => one.kind === 'forged-beacon');
  return {
    clones: shelved(clones, ({ ledger: [first, other], day }) => ({ day, ledger: [first, other] })),
    forgedBeacons: shelved(forged, ({ ledger: [index], day, record }) => ({ day, ledger: [index], record })),
  };
}

function shelved<One extends Doubt, Row>(kept: readonly One[], rowOf: (one: One) => Row) {
  const listed = [...kept].sort(newestFirst).slice(0, MAX_LISTED).map(rowOf);
  return { kept: kept.length, isFull: kept.length >= MAX_KEPT, listed };
}

const newestFirst = (one: Doubt, other: Doubt): number =>
  other.day - one.day || lastOf(other) - lastOf(one) || placeOf(one) - placeOf(other);

const lastOf = ({ ledger }: Doubt): number => ledger.at(-1) ?? 0;
const placeOf = (one: Doubt): number => (one.kind === 'forged-beacon' ? one.record : 0);
