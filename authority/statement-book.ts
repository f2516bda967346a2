/**
 * What the authority has stated and must state again whenever a broker has lost it: a broker keeps retained messages in
 * memory. All of it is public. Notices are in notices/notice-book.ts.
 *
 *     made/<day>                        nothing: the day's keys are whole on disk, and the log may know them
 *     statement/<day>                   day-key statement 105
 *     revocation/<gatewayId>            revocation 93
 *
 * Days are 8 hex digits, so that keys sort by them.
 */
import { toHex } from '../protocol/bytes.js';
import { lastNumberIn, numberInKey } from './records/keys.js';
import type { RecordStore } from './records/records.js';

export interface StatementBook {
  /** Whether keys of the day may be known to others: noted before they are stated anywhere. */
  wasMade(day: number): Promise<boolean>;
  noteMade(day: number): Promise<void>;
  /** The days whose keys may be known to others, ascending. */
  madeDays(): Promise<readonly number[]>;
  statementOf(day: number): Promise<Uint8Array | undefined>;
  /** Ascending by day. */
  dayKeyStatements(): Promise<Uint8Array[]>;
  addDayKeyStatement(day: number, statement: Uint8Array): Promise<void>;
  forgetDaysBefore(day: number): Promise<void>;
  /** Oldest first. */
  revocations(): Promise<Uint8Array[]>;
  addRevocation(gatewayId: Uint8Array, revocation: Uint8Array): Promise<void>;
  forgetRevocation(gatewayId: Uint8Array): Promise<void>;
}

const [MADE, STATEMENT] = ['made/', 'statement/'] as const;
const madeKey = (day: number) => `${MADE}${numberInKey(day)}`;
const dayKey = (day: number) => `${STATEMENT}${numberInKey(day)}`;
const revocationKey = (gatewayId: Uint8Array) => `revocation/${toHex(gatewayId)}`;

/** fromMs in the bytes of a revocation: u64 at 21, below 2^53. */
const fromMsOf = (revocation: Uint8Array) => Number(Buffer.from(revocation).readBigUInt64BE(21));

export function statementBook(records: RecordStore): StatementBook {
  async function valuesUnder(prefix: string): Promise<Uint8Array[]> {
    const values: Uint8Array[] = [];
    for await (const [, value] of records.list(prefix)) values.push(new Uint8Array(value));
    return values;
  }

  async function madeDays(): Promise<readonly number[]> {
    const days = new Set<number>();
    for (const prefix of [MADE, STATEMENT])
      for await (const [key] of records.list(prefix)) days.add(lastNumberIn(key));
    return [...days].sort((a, b) => a - b);
  }

  async function forgetDaysBefore(day: number): Promise<void> {
    const old: string[] = [];
    for await (const [key] of records.list(MADE)) if (key < madeKey(day)) old.push(key);
    for await (const [key] of records.list(STATEMENT)) if (key < dayKey(day)) old.push(key);
    if (old.length > 0) await records.write(old.map((key) => [key, undefined]));
  }

  return {
    wasMade: async (day) =>
      ((await records.get(madeKey(day))) ?? (await records.get(dayKey(day)))) !== undefined,
    noteMade: (day) => records.write([[madeKey(day), new Uint8Array(0)]]),
    madeDays,
    statementOf: (day) => records.get(dayKey(day)),
    dayKeyStatements: () => valuesUnder(STATEMENT),
    addDayKeyStatement: (day, statement) => records.write([[dayKey(day), statement]]),
    forgetDaysBefore,
    revocations: async () => (await valuesUnder('revocation/')).sort((a, b) => fromMsOf(a) - fromMsOf(b)),
    addRevocation: (gatewayId, revocation) => records.write([[revocationKey(gatewayId), revocation]]),
    forgetRevocation: async (gatewayId) => {
      const key = revocationKey(gatewayId);
      if ((await records.get(key)) !== undefined) await records.write([[key, undefined]]);
    },
  };
}
