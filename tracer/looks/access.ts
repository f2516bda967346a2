/** Every look is recorded before it is answered (protocol.md §10, type 6): no entry, no answer. */
import { asTagNumber } from '../../protocol/brands.js';
import type { UnixMs } from '../../protocol/brands.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { sealAccess } from '../../protocol/payload/access.js';
import type { AccessRecord, SealedAccess } from '../../protocol/payload/access.js';
import { SALT_BYTES } from '../../protocol/payload/salt.js';
import { isPlain } from '../../protocol/plain-text.js';
import { AskerError, telling } from '../asker-error.js';
import { recordedUnlessStopped } from './nobody-found.js';
import { PLAIN_WORDS } from './recorded-words.js';
import type { TraceRequest } from './trace-result.js';

export interface Look {
  /** Who asks, and why: what a citizen is shown. */
  readonly officer: string;
  readonly purpose: string;
}

/** What was asked, about whom. */
export type Asked = Omit<AccessRecord, 'officer' | 'purpose' | 'reached'>;

/**
 * A look as it was logged: its first entry, whose shared secret opens the question in this payload and nothing
 * else.
 */
export interface RecordedAccess extends SealedAccess {
  readonly index: number;
  /** Of the entries with the tags that did not fit the first, in order. */
  readonly further: readonly number[];
}

export interface AccessRecorder {
  /**
   * Records that this look reached these tags, ascending and distinct: all that the answer names or counts.
   * Resolves once the ledger's receipts for all of its entries verified. Throws when one did not come; `input`
   * for a look without officer or purpose, or with words that are not plain; `format` for tags that do not
   * ascend, or a question out of bounds; `size` for more tags than a look can name; the reason of the signal, which
   * ends the wait, with word that the look may be recorded where that had begun.
   */
  record(look: Look, asked: Asked, reached: ArrayLike<number>, signal?: AbortSignal): Promise<RecordedAccess>;
}

export interface AccessDeps {
  readonly auditPublicKey: Uint8Array;
  readonly nowMs: () => UnixMs;
  readonly randomBytes: (length: number) => Uint8Array;
  /**
   * Commits entries, in this order, and resolves the indexes the ledger gave them, or the reason one was
   * refused for.
   */
  readonly commit: (
    entries: readonly {
      readonly type: number;
      readonly timeMs: UnixMs;
      readonly payload: Uint8Array;
    }[],
  ) => Promise<readonly number[]>;
}

const LOOK_LENGTH = 16;

export function accessRecorder({ auditPublicKey, nowMs, randomBytes, commit }: AccessDeps): AccessRecorder {
  return {
    async record({ officer, purpose }, asked, reached, signal) {
      if (officer.trim() === '' || purpose.trim() === '') {
        throw new AskerError('input', 'a look needs an officer and a purpose: both are recorded');
      }
      if (!isPlain(officer) || !isPlain(purpose))
        throw new AskerError('input', `officer and purpose must be ${PLAIN_WORDS}: people are shown them`);
      const parts = telling(['format', 'size'], () =>
        sealAccess(
          { officer, purpose, ...asked, reached },
          {
            look: randomBytes(LOOK_LENGTH),
            salt: () => randomBytes(SALT_BYTES),
            recipientPublicKey: auditPublicKey,
          },
        ),
      );
      signal?.throwIfAborted(); // what nobody waits for is no look
      const timeMs = nowMs();
      const entries = parts.map(({ payload }) => ({ type: ENTRY_TYPE.access, timeMs, payload }));
      const [index, ...further] = await recordedUnlessStopped(commit(entries), signal);
      const [first] = parts;
      if (first === undefined || index === undefined || further.length !== parts.length - 1)
        throw new AskerError('closed', 'not all entries of this look were recorded: there is no answer');
      return { ...first, index, further };
    },
  };
}

/** A trace, as its look records it. */
export function askedInTrace(request: TraceRequest): Asked {
  const { direction: question, hops, from, to, minSeconds, latentSeconds } = request;
  return {
    question,
    cases: [asTagNumber(Number(request.case))],
    ...{ hops, from, to, minSeconds, latentSeconds },
    infectiousSeconds: request.infectiousSeconds ?? null,
    attenuation: request.attenuation ?? 'near',
    presence: request.presence ?? false,
  };
}
