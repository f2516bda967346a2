/** Every look is recorded before it is answered (protocol.md §10, type 6): no entry, no answer. */
import { asTagNumber } from '../protocol/brands.js';
import type { UnixMs } from '../protocol/brands.js';
import { ENTRY_TYPE } from '../protocol/entry.js';
import { FirebreakError } from '../protocol/errors.js';
import { sealAccess } from '../protocol/payload-access.js';
import type { SealedAccess } from '../protocol/payload-access.js';
import { SALT_LENGTH } from '../protocol/payload-salt.js';
import type { TraceRequest, TraceResult } from './trace-result.js';

export interface Look {
  /** Who asks, and why: what a citizen is shown. */
  readonly officer: string;
  readonly purpose: string;
}

/** A look as it was logged; its shared secret opens this payload and nothing else. */
export interface RecordedAccess extends SealedAccess {
  readonly index: number;
}

export interface AccessRecorder {
  /** The entry, once the ledger's receipt for it verified. Throws when it did not come. */
  record(look: Look, result: TraceResult): Promise<RecordedAccess>;
}

export interface AccessDeps {
  readonly auditPublicKey: Uint8Array;
  readonly nowMs: () => UnixMs;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Commits one entry and resolves the index the ledger gave it, or the reason it was refused for. */
  readonly commit: (entry: {
    readonly type: number;
    readonly timeMs: UnixMs;
    readonly payload: Uint8Array;
  }) => Promise<number>;
}

export function accessRecorder({ auditPublicKey, nowMs, randomBytes, commit }: AccessDeps): AccessRecorder {
  return {
    async record({ officer, purpose }, result) {
      if (officer.trim() === '' || purpose.trim() === '') {
        throw new FirebreakError('input', 'a look needs an officer and a purpose: both are recorded');
      }
      const salt = randomBytes(SALT_LENGTH);
      const record = { officer, purpose, ...askedOf(result), reachedCount: countOf(result) };
      const sealed = sealAccess(record, { salt, recipientPublicKey: auditPublicKey });
      const index = await commit({ type: ENTRY_TYPE.access, timeMs: nowMs(), payload: sealed.payload });
      return { ...sealed, index };
    },
  };
}

function askedOf(request: TraceRequest) {
  const { direction, hops, from, to, minSeconds, latentSeconds, infectiousSeconds } = request;
  const caseTag = asTagNumber(Number(request.case));
  return {
    caseTag,
    direction,
    hops,
    from,
    to,
    minSeconds,
    latentSeconds,
    infectiousSeconds: infectiousSeconds ?? null,
  };
}

const countOf = ({ reached, sources }: TraceResult): number =>
  new Set([...reached, ...(sources ?? [])].map(({ person }) => person)).size;
