/**
 * What the issuer has said about one gateway in entries of type 3: the days of its certificates, and from when it is
 * revoked. Certificates last at most seven days (protocol.md §7), so a gateway collects them; runs that touch are
 * joined, and the oldest run is forgotten past {@link MAX_RUNS}.
 *
 *     gatewayId 16 | public key 32 (zeros: revoked before any certificate) | revoked from u64 (2^53 − 1: never)
 *     runs u16 | { from day u32 | to day u32 } each
 */
import { ByteReader, ByteWriter } from '../../protocol/bytes.js';
import { partyIdOf } from '../../protocol/keys.js';
import { dayOf } from '../../protocol/time.js';

const MAX_RUNS = 64;
const FIXED_BYTES = 58;
const NEVER = Number.MAX_SAFE_INTEGER;
const NO_KEY = new Uint8Array(32);

/** Days [fromDay, toDay], both included. */
export interface DayRun {
  readonly fromDay: number;
  readonly toDay: number;
}

export interface GatewayRecord {
  readonly gatewayId: Uint8Array;
  /** Zeros while only a revocation is known; no key is ever that. */
  readonly publicKey: Uint8Array;
  /** Nothing received at or after this time counts; Number.MAX_SAFE_INTEGER when not revoked. */
  readonly revokedFromMs: number;
  readonly runs: readonly DayRun[];
}

function joined(runs: readonly DayRun[], added: DayRun): DayRun[] {
  const sorted = [...runs, added].sort((a, b) => a.fromDay - b.fromDay);
  const result: DayRun[] = [];
  for (const run of sorted) {
    const last = result.at(-1);
    if (last === undefined || run.fromDay > last.toDay + 1) result.push(run);
    else result[result.length - 1] = { fromDay: last.fromDay, toDay: Math.max(last.toDay, run.toDay) };
  }
  return result.slice(-MAX_RUNS);
}

/** The record once a certificate for these days is in the log. */
export function withCertificate(
  record: GatewayRecord | undefined,
  publicKey: Uint8Array,
  days: DayRun,
): GatewayRecord {
  const runs = joined(record?.runs ?? [], days);
  return { gatewayId: partyIdOf(publicKey), publicKey, revokedFromMs: record?.revokedFromMs ?? NEVER, runs };
}

/**
 * The record once a revocation is in the log. It is final: the earliest one counts, and no later certificate
 * lifts it.
 */
export function withRevocation(
  record: GatewayRecord | undefined,
  gatewayId: Uint8Array,
  fromMs: number,
): GatewayRecord {
  const known = record ?? { gatewayId, publicKey: NO_KEY, revokedFromMs: NEVER, runs: [] };
  return { ...known, revokedFromMs: Math.min(known.revokedFromMs, fromMs) };
}

/** True when the gateway was certified and not revoked at `timeMs`. */
export function certifiedAt(record: GatewayRecord, timeMs: number): boolean {
  const day = dayOf(Math.floor(timeMs / 1000));
  return timeMs < record.revokedFromMs && record.runs.some((run) => run.fromDay <= day && day <= run.toDay);
}

export function encodeGatewayRecord(record: GatewayRecord): Uint8Array {
  const writer = new ByteWriter(FIXED_BYTES + 8 * record.runs.length);
  writer.bytes(record.gatewayId);
  writer.bytes(record.publicKey);
  writer.u64(record.revokedFromMs);
  writer.u16(record.runs.length);
  for (const run of record.runs) {
    writer.u32(run.fromDay);
    writer.u32(run.toDay);
  }
  return writer.finish();
}

/** Throws `format`. */
export function decodeGatewayRecord(bytes: Uint8Array): GatewayRecord {
  const reader = new ByteReader(bytes, 'a gateway row');
  const gatewayId = reader.take(16);
  const publicKey = reader.take(32);
  const revokedFromMs = reader.u64();
  const runs = Array.from({ length: reader.u16() }, () => ({ fromDay: reader.u32(), toDay: reader.u32() }));
  reader.end();
  return { gatewayId, publicKey, revokedFromMs, runs };
}
