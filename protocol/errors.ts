/**
 * One error class for every room. `code` is stable and meant for programs; `message` is meant for people
 * and says what was wrong and, where a person can mend it, how. Neither ever holds a secret, a tag number or a name.
 */

/** Reasons a gateway gives a tag, in the order of checking (protocol.md §7). The index + 1 is the byte on the wire. */
export const GATEWAY_REFUSALS = [
  'format',
  'issuer',
  'credential-signature',
  'report-signature',
  'epoch',
  'day',
  'session',
  'busy',
] as const;

/**
 * Reasons the ledger adds to them in its receipts (protocol.md §13, "Ledger refusals"). Numbered on from the
 * gateway's.
 */
export const LEDGER_REFUSALS = ['type', 'sequence', 'batch-signature', 'certificate', 'size'] as const;

export type GatewayRefusal = (typeof GATEWAY_REFUSALS)[number];
export type Refusal = GatewayRefusal | (typeof LEDGER_REFUSALS)[number];

/** Reasons the tracer gives for setting a report aside when opening it (protocol.md §8). */
export type OpeningRefusal = 'sealing' | 'ephemeral-id' | 'bucket' | 'padding' | 'reserved' | 'record-day';

export type ErrorCode =
  | Refusal
  | OpeningRefusal
  // the log does not add up
  | 'signature'
  | 'witness'
  | 'proof'
  | 'consistency'
  | 'chain'
  | 'damaged'
  // one payload of the ledger: others can be read
  | 'damaged-payload'
  // what an evidence bundle says does not follow from what it shows
  | 'evidence'
  // files, processes and networks
  | 'input'
  | 'usage'
  | 'not-found'
  | 'pruned'
  | 'exists'
  | 'foreign'
  | 'permission'
  | 'locked'
  | 'port-in-use'
  | 'unreachable'
  | 'timeout'
  // begun or claimed, and nobody can say yet whether it is so
  | 'unconfirmed'
  | 'full'
  | 'closed';

export class FirebreakError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'FirebreakError';
    this.code = code;
  }
}

/** Whatever was thrown, as an error. */
export const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown));

const ALL_REFUSALS: readonly Refusal[] = [...GATEWAY_REFUSALS, ...LEDGER_REFUSALS];

/** Whether an error's code is one that a receipt can give. */
export const isRefusal = (code: ErrorCode): code is Refusal =>
  ALL_REFUSALS.some((refusal) => refusal === code);

/** The number of a refusal in a receipt: 1.. in the order above; 0 means accepted. */
export function refusalNumber(refusal: Refusal): number {
  return ALL_REFUSALS.indexOf(refusal) + 1;
}

/** The refusal behind a number; `undefined` for 0, accepted. Throws `format` for a number nobody gives. */
export function refusalOf(number: number): Refusal | undefined {
  if (number === 0) return undefined;
  const refusal = ALL_REFUSALS[number - 1];
  if (refusal === undefined) throw new FirebreakError('format', `refusal number ${number} is not defined`);
  return refusal;
}
