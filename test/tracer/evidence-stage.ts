/** A tracer that answers with evidence, on a log of real sealed reports. */
import { expect } from 'vitest';
import { asUnixMs } from '../../protocol/brands.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { FirebreakError } from '../../protocol/errors.js';
import { decodeEvidence, encodeEvidence } from '../../protocol/evidence/bundle.js';
import type { EvidenceBundle } from '../../protocol/evidence/bundle.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { partyIdOf } from '../../protocol/keys.js';
import { dayOf } from '../../protocol/time.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { accessRecorder } from '../../tracer/looks/access.js';
import type { Contact } from '../../tracer/contact.js';
import { checkEvidence } from '../../tracer/evidence/check.js';
import type { CheckedEvidence, EvidenceTerms } from '../../tracer/evidence/check.js';
import type { CheckedPerson, CheckedStep } from '../../tracer/evidence/paths.js';
import type { ReachedPerson, TraceRequest } from '../../tracer/looks/trace-result.js';
import type { Answer } from '../../tracer/looks/look-ups.js';
import type { Tracer, TracerDeps } from '../../tracer/tracer.js';
import { issuer, keysOf, NOON, recordOf, reportOf } from './deployment.js';
import { logKey, MemoryLog } from './memory-log.js';
import { tracerOn } from './tracer-on.js';

export const tracerKey = fastSigner(sha256(Buffer.from('tracer')));
export const look = { officer: 'Dr. Ada', purpose: 'ward outbreak' };
const audit = x25519KeyPair(new Uint8Array(32).fill(5));
const HOUR = 3_600;

export const request: TraceRequest = {
  case: '1',
  direction: 'forward',
  hops: 3,
  from: NOON - HOUR,
  to: NOON + 24 * HOUR,
  minSeconds: 900,
  latentSeconds: 0,
};

/**
 * 1 meets 2 for a quarter of an hour, both say so; 2 meets 3 three times for ten minutes, half of it told by one of them
 * only; 3 meets 4 in the evening. 5 and 6 have nothing to do with it. Entries of others lie in between.
 */
export function ward(): MemoryLog {
  const log = new MemoryLog().fill(3);
  const at = (hours: number): number => NOON + hours * HOUR;
  const [second, third, fourth] = [at(1), at(2), at(3)];
  log.append(reportOf({ tag: 1, records: [recordOf(2, NOON, 900), recordOf(5, NOON + 60, 120)] }));
  log.append(reportOf({ tag: 5, records: [recordOf(6, NOON, 900)] }));
  log.append(reportOf({ tag: 2, records: [recordOf(1, NOON + 20, 880), recordOf(3, second, 600)] }));
  log.fill(260, 1);
  log.append(reportOf({ tag: 3, records: [recordOf(2, second, 590), recordOf(2, third, 600)] }));
  log.append(reportOf({ tag: 2, seq: 1, records: [recordOf(3, fourth, 600)] }));
  log.append(reportOf({ tag: 4, seq: 7, records: [recordOf(3, at(7), 900)], at: at(10) }));
  return log.fill(2, 2);
}

/** Two people, one contact: as small as a bundle that shows something can be. */
export function pair(): MemoryLog {
  const log = new MemoryLog();
  log.append(reportOf({ tag: 1, records: [recordOf(2, NOON, 900)] }));
  log.append(reportOf({ tag: 2, records: [recordOf(1, NOON + 20, 880)] }));
  return log;
}

/** A tracer that has read all of the log. */
export async function recordingTracer(
  log: MemoryLog,
  changes: Partial<TracerDeps> = {},
  signs = true,
): Promise<Tracer> {
  const day = dayOf(NOON);
  const source = partyIdOf(tracerKey.publicKey);
  const tracer = tracerOn(log, {
    dayKeys: keysOf([day - 1, day, day + 1, day + 2]),
    ...(signs && { signer: tracerKey }),
    access: accessRecorder({
      auditPublicKey: audit.publicKey,
      nowMs: () => asUnixMs(1_790_000_000_000),
      randomBytes: (length) => new Uint8Array(length).fill(4),
      commit: async (entries) =>
        entries.map(({ type, payload, timeMs }) =>
          log.append({ type, payload, source, sourceTimeMs: timeMs }),
        ),
    }),
    ...changes,
  });
  await tracer.catchUp();
  return tracer;
}

export interface Evident extends Answer {
  readonly evidence: Uint8Array;
}

export async function evidenceOf(
  tracer: Tracer,
  asked: Partial<TraceRequest> = {},
  persons?: readonly string[],
): Promise<Evident> {
  const answer = await tracer.lookUp({ ...request, ...asked }, look, persons ? { persons } : {});
  if (answer.evidence === undefined) throw new Error('no evidence came');
  return { ...answer, evidence: answer.evidence };
}

/** As somebody with nothing but the log's key does. */
export const check = (bundle: Uint8Array, terms: Partial<EvidenceTerms> = {}) =>
  checkEvidence(bundle, { openCheckpoint: (note) => openCheckpoint(note, logKey), ...terms });

/** What a tracer that lies would make of a bundle: changed, and signed again. */
export function signedAgain(
  bytes: Uint8Array,
  changes: Partial<EvidenceBundle>,
  signer = tracerKey,
): Uint8Array {
  return encodeEvidence({ ...decodeEvidence(bytes), ...changes }, signer);
}

/** The code and the words of a refusal, or "accepted". */
export function refusalOf(bundle: Uint8Array, terms: Partial<EvidenceTerms> = {}): string {
  try {
    check(bundle, terms);
  } catch (error) {
    if (error instanceof FirebreakError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

/** The further contacts that make the contact of a step a close one. */
export const supportsOf = (step: CheckedStep | undefined): readonly Contact[] =>
  step !== undefined && 'supports' in step ? step.supports : [];

/** The evidence with one bit of a byte turned over. */
export function bentAt(evidence: Uint8Array, byte: number, bit: number): Uint8Array {
  const bent = new Uint8Array(evidence);
  bent[byte] = (bent[byte] ?? 0) ^ (1 << bit);
  return bent;
}

/** How often each code refuses the evidence with one bit of a byte turned over, byte after byte; none is accepted. */
export function refusalsOfBends(evidence: Uint8Array): ReadonlyMap<string, number> {
  const codes = new Map<string, number>();
  for (let byte = 0; byte < evidence.length; byte++) {
    const refusal = refusalOf(bentAt(evidence, byte, byte % 8));
    expect(refusal, `byte ${byte}`).toMatch(/^[a-z-]+: .{12,}/);
    const [code = ''] = refusal.split(':');
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  return codes;
}

/** Each bit of the first and the last `ends` bytes, turned over by itself, is refused. */
export function expectEndsToHold(evidence: Uint8Array, ends: number): void {
  for (const byte of [...evidence.keys()].filter((at) => at < ends || at > evidence.length - ends))
    for (let bit = 0; bit < 8; bit++)
      expect(refusalOf(bentAt(evidence, byte, bit)), `byte ${byte}, bit ${bit}`).not.toBe('accepted');
}

/** As {@link evidenceOf}; `undefined` where the question has no answer. */
export async function evidenceIfAny(
  tracer: Tracer,
  question: Parameters<typeof evidenceOf>[1],
): Promise<Evident | undefined> {
  return evidenceOf(tracer, question).catch((error: unknown) => {
    if (error instanceof FirebreakError && error.code === 'not-found') return undefined;
    throw error;
  });
}

/** Checked rows as a trace gives them, to the letter. */
export const asTraced = (people: readonly CheckedPerson[] | undefined): ReachedPerson[] | undefined =>
  people?.map((person) => ({
    ...person,
    path: person.path.map(({ from, to, start, end, nearSeconds, mutual, ledger, gateway: id }) => ({
      ...{ from, to, start, end, nearSeconds, mutual, ledger },
      ...(id !== undefined && { gateway: id }),
    })),
  }));

/** What the evidence shows: nobody and nothing else than the trace says. */
export function shownAsTraced({ evidence, result }: Evident): CheckedEvidence {
  const shown = check(evidence, { issuerPublicKey: issuer.publicKey });
  expect(asTraced(shown.reached)).toEqual(result.reached);
  expect(asTraced(shown.sources)).toEqual(result.sources);
  return shown;
}
