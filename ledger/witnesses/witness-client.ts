/**
 * One witness, as the ledger knows it: asks it to cosign a checkpoint (C2SP tlog-witness), remembers how far
 * it is, and after a failure leaves it alone for a while, longer each time.
 */
import { withTimeLimit } from '../../host/time-limit.js';
import {
  decodeTlogSize,
  encodeAddCheckpoint,
  MAX_ADD_CHECKPOINT_BYTES,
  TLOG_SIZE_TYPE,
} from '../../protocol/tlog/add-checkpoint.js';
import { cosignedAt, isBy, type Cosigner } from '../../protocol/tlog/cosignature.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { readNote, signatureText } from '../../protocol/tlog/note.js';
import { boundedBody } from '../http/bounded-body.js';

/** A checkpoint that the log signed and witnesses are to cosign. */
export interface Candidate {
  /** The signed note. */
  readonly note: string;
  /** Its text. */
  readonly text: string;
  readonly size: number;
}

export interface WitnessClientDeps {
  /** As the policy calls it. */
  readonly name: string;
  readonly cosigner: Cosigner;
  /** Its submission prefix. */
  readonly url: string;
  /** RFC 6962 consistency proof from the ledger's own store. */
  readonly prove: (oldSize: number, newSize: number) => Promise<readonly Uint8Array[]>;
  /** Entries the ledger holds. */
  readonly heldSize: () => number;
  /** Each request ends within this. */
  readonly timeoutMs: number;
  /** Pause after a first failure; doubled after each further one. */
  readonly backOffMs: number;
  readonly log: Log;
}

export interface WitnessStatus {
  readonly name: string;
  /** What it cosigned last since the ledger was opened. */
  readonly cosignedSize: number | undefined;
  /** Unix seconds, by its own clock. */
  readonly cosignedAtSeconds: number | undefined;
  /** Why it did not cosign when it was asked last. */
  readonly failure: string | undefined;
}

const MAX_BACK_OFF_MS = 60_000;
/**
 * The first answer may only say where the witness is, and another ledger with our key could move it between
 * two tries.
 */
const MAX_TRIES = 4;

interface Answer {
  readonly status: number;
  /** Its media type, without parameters. */
  readonly type: string | undefined;
  readonly body: Uint8Array;
}

export class WitnessClient {
  readonly #deps: WitnessClientDeps;
  /** Size it cosigned last, as far as is known. */
  #knownSize = 0;
  #failures = 0;
  #failure: string | undefined;
  #notBeforeMs = 0;
  #isBusy = false;
  #cosigned: { readonly size: number; readonly atSeconds: number } | undefined;

  constructor(deps: WitnessClientDeps) {
    this.#deps = deps;
  }

  get name(): string {
    return this.#deps.name;
  }

  /** One request at a time. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** When it may be asked again, by `performance.now()`. */
  get notBeforeMs(): number {
    return this.#notBeforeMs;
  }

  status(): WitnessStatus {
    const { size, atSeconds } = this.#cosigned ?? {};
    return { name: this.name, cosignedSize: size, cosignedAtSeconds: atSeconds, failure: this.#failure };
  }

  /**
   * Its cosignature of the candidate as a signature line; `undefined` when it does not give one, which the
   * status explains.
   */
  async ask(candidate: Candidate, signal: AbortSignal): Promise<string | undefined> {
    this.#isBusy = true;
    try {
      const line = await this.#askUntilSettled(candidate, signal);
      this.#settle(undefined);
      return line;
    } catch (error) {
      if (!signal.aborted) this.#settle(error);
      return undefined;
    } finally {
      this.#isBusy = false;
    }
  }

  #settle(error: unknown): void {
    const { backOffMs, log, name } = this.#deps;
    const why = error === undefined ? undefined : asError(error).message;
    if (why !== undefined && why !== this.#failure)
      log.warn('a witness does not cosign', { witness: name, why });
    if (why === undefined && this.#failure !== undefined)
      log.info('a witness cosigns again', { witness: name });
    this.#failure = why;
    this.#failures = why === undefined ? 0 : this.#failures + 1;
    const pauseMs = Math.min(MAX_BACK_OFF_MS, backOffMs * 2 ** (this.#failures - 1));
    this.#notBeforeMs = why === undefined ? 0 : performance.now() + pauseMs;
  }

  /** `undefined` when it has cosigned a later checkpoint of ours already. */
  async #askUntilSettled(candidate: Candidate, signal: AbortSignal): Promise<string | undefined> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const oldSize = this.#knownSize;
      if (oldSize > this.#deps.heldSize()) {
        this.#knownSize = 0; // so that it is asked again when it is due: it alone can say whether that still holds
        throw this.#ahead(oldSize);
      }
      if (oldSize > candidate.size) return undefined;
      const answer = await this.#post(candidate, oldSize, signal);
      if (answer.status === 200) return this.#cosignature(candidate, answer.body);
      if (answer.status !== 409) throw this.#refusal(answer.status);
      this.#knownSize = this.#sizeIn(answer, candidate, oldSize);
      if (this.#knownSize === oldSize) throw this.#otherView(oldSize);
    }
    throw this.#error('unreachable', 'says another size each time it is asked');
  }

  /**
   * The size in a 409. One without, to a candidate of the size it cosigned last, says that it cosigned
   * another root for that.
   */
  #sizeIn({ type, body }: Answer, { size }: Candidate, oldSize: number): number {
    try {
      return decodeTlogSize(body);
    } catch (cause) {
      throw type !== TLOG_SIZE_TYPE && size === oldSize ? this.#otherView(oldSize) : cause;
    }
  }

  async #post({ note, size }: Candidate, oldSize: number, signal: AbortSignal): Promise<Answer> {
    const { url, prove, timeoutMs } = this.#deps;
    const body = encodeAddCheckpoint({ oldSize, proof: await prove(oldSize, size), checkpoint: note });
    const ask = (limited: AbortSignal): Promise<Answer> =>
      post(`${url.replace(/\/+$/, '')}/add-checkpoint`, body, limited);
    try {
      return await withTimeLimit(timeoutMs, [signal], ask);
    } catch (cause) {
      if (cause instanceof FirebreakError) throw cause;
      if (cause instanceof DOMException && cause.name === 'TimeoutError')
        throw this.#error('timeout', `did not answer within ${timeoutMs} ms`, cause);
      throw this.#error('unreachable', `cannot be reached at ${url}`, cause);
    }
  }

  #cosignature({ note, text, size }: Candidate, body: Uint8Array): string {
    const { cosigner } = this.#deps;
    const { signatures } = readNote(note + Buffer.from(body).toString('utf8'));
    const atSeconds = cosignedAt(text, signatures, cosigner);
    const own = signatures.findLast((signature) => isBy(signature, cosigner));
    if (own === undefined || atSeconds === undefined)
      throw this.#error('signature', 'cosigned with another key than the policy names');
    this.#knownSize = size;
    this.#cosigned = { size, atSeconds };
    return signatureText(own);
  }

  #refusal(status: number): FirebreakError {
    if (status === 404)
      return this.#error('not-found', 'does not know this log: it has to trust its key first');
    if (status === 403)
      return this.#error('permission', 'does not know the key of this log: it has to trust that key first');
    if (status === 422) return this.#otherView(this.#knownSize);
    return this.#error('unreachable', `answered with status ${status}`);
  }

  #ahead(size: number): FirebreakError {
    return this.#error(
      'consistency',
      `has cosigned ${size} entries of this log, and this ledger holds ${this.#deps.heldSize()}: it was set back, or ` +
        'another ledger runs with its key',
    );
  }

  #otherView(size: number): FirebreakError {
    return this.#error(
      'consistency',
      `says that this log does not continue the ${size} entries it cosigned: it was forked, set back, or another ledger ` +
        'runs with its key',
    );
  }

  #error(
    code: 'consistency' | 'not-found' | 'permission' | 'signature' | 'timeout' | 'unreachable',
    why: string,
    cause?: unknown,
  ) {
    return new FirebreakError(code, `the witness ${this.name} ${why}`, { cause });
  }
}

async function post(url: string, body: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', body, signal, redirect: 'error' });
  return {
    status: response.status,
    type: response.headers.get('content-type')?.split(';', 1)[0],
    body: await boundedBody(response, MAX_ADD_CHECKPOINT_BYTES, 'the witness'),
  };
}
