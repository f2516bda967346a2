/** What an intake remembers beside reports and contacts, as JSON for the next life. Parsed once, when it is read. */
import { z } from 'zod';
import { fromHex, toHex } from '../../protocol/bytes.js';
import type { ErrorCode } from '../../protocol/errors.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Doubt } from './doubts.js';
import type { CertificatePlace } from './gateway-book.js';
import type { Tally } from './intake-counts.js';
import type { BorderDays } from './retention-border.js';

const count = z.int().min(0);
const tally = z.strictObject({
  opened: count,
  repeated: count,
  clones: count,
  records: count,
  partial: count,
  forged: count,
  unresolved: count,
  refused: z.array(z.tuple([z.custom<ErrorCode>((code) => typeof code === 'string'), count])),
});
/** States that were written before it was noted have none. */
const day = count.exactOptional();
const evidence = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('forged-beacon'), ledger: z.tuple([count]), record: count, day }),
  z.strictObject({ kind: z.literal('clone'), ledger: z.tuple([count, count]), day }),
]);
const hex = z.string().regex(/^([0-9a-f]{2})*$/);
const schema = z.strictObject({
  reports: tally,
  presence: tally,
  missing: count,
  pruned: count,
  border: z.strictObject({ day: count, logDay: count }),
  evidence: z.array(evidence),
  /** Public keys. */
  gateways: z.array(hex),
  /** Gateway ID, first and last day, ledger index; states that were written before these were noted have none. */
  certificates: z.array(z.tuple([hex, count, count, count])).default([]),
});

export interface IntakeState {
  readonly reports: Tally;
  readonly presence: Tally;
  /** Payloads that should be there and are not; payloads that were pruned. */
  readonly missing: number;
  readonly pruned: number;
  readonly border: BorderDays;
  readonly evidence: readonly Doubt[];
  readonly gatewayKeys: readonly Uint8Array[];
  readonly certificates: readonly CertificatePlace[];
}

export function encodeIntakeState(state: IntakeState): Uint8Array {
  const { reports, presence, gatewayKeys, ...rest } = state;
  const told = (counts: Tally) => ({ ...counts, refused: [...counts.refused] });
  const gateways = gatewayKeys.map(toHex);
  const certificates = state.certificates.map(({ gatewayId, fromDay, toDay, ledgerIndex }) => [
    ...[toHex(gatewayId), fromDay, toDay, ledgerIndex],
  ]);
  const counts = { reports: told(reports), presence: told(presence) };
  return Buffer.from(JSON.stringify({ ...rest, ...counts, gateways, certificates }));
}

/** Throws `format`. */
export function decodeIntakeState(bytes: Uint8Array): IntakeState {
  const { gateways, certificates, reports, presence, evidence, ...rest } = parsed(bytes);
  const tallyOf = (told: typeof reports): Tally => ({ ...told, refused: new Map(told.refused) });
  return {
    ...rest,
    // No report that was read then is of a much later day.
    evidence: evidence.map((one) => ({ ...one, day: one.day ?? rest.border.day })),
    reports: tallyOf(reports),
    presence: tallyOf(presence),
    gatewayKeys: gateways.map(fromHex),
    certificates: certificates.map(([id, fromDay, toDay, ledgerIndex]) => ({
      ...{ gatewayId: fromHex(id), fromDay, toDay, ledgerIndex },
    })),
  };
}

function parsed(bytes: Uint8Array): z.infer<typeof schema> {
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw new FirebreakError('format', 'what the tracer kept of its counts cannot be read', { cause });
  }
}
