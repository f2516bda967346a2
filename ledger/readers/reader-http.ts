/** A ledger read over its HTTP (docs/ledger-http.md). Also reads any C2SP tlog-tiles log, payloads apart. */
import { isLoopback } from '../../host/loopback.js';
import { withTimeLimit } from '../../host/time-limit.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { FoundPayload, LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { MAX_PAYLOAD_LENGTH } from '../../protocol/tlog/entry.js';
import { HASH_LENGTH, MAX_ENTRY_BYTES } from '../../protocol/tlog/merkle.js';
import { utf8Text } from '../../protocol/tlog/text-forms.js';
import { entriesPath, tilePath } from '../../protocol/tlog/tile.js';
import { boundedBody } from '../http/bounded-body.js';
import { CODE_HEADER, decodePayloads, encodeHashes, MAX_PAYLOADS_PER_CALL } from '../http/payload-frames.js';

const MAX_CHECKPOINT_BYTES = 65_536;

export interface LedgerReaderHttpOptions {
  /** Such as http://127.0.0.1:8080; a path in it is kept. */
  readonly url: string;
  /** For payloads. */
  readonly token?: string;
  /** Each request ends within this. */
  readonly timeoutMs?: number;
}

interface Request {
  readonly path: string;
  readonly body?: Uint8Array;
  readonly maxBytes: number;
}

function unreachable(url: string, cause: unknown): FirebreakError {
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    return new FirebreakError('timeout', `the ledger at ${url} did not answer in time`, { cause });
  }
  if (cause instanceof Error && cause.name === 'AbortError') {
    return new FirebreakError('closed', 'this reader of the ledger is closed', { cause });
  }
  return new FirebreakError(
    'unreachable',
    `the ledger at ${url} cannot be reached: check that it is running`,
    { cause },
  );
}

function refusal({ status, headers }: Response, url: string, path: string): FirebreakError {
  const code = headers.get(CODE_HEADER);
  if (code === 'damaged-payload')
    return new FirebreakError(
      'damaged-payload',
      `the ledger at ${url} has a damaged payload among those asked for: stop it, and firebreak ledger fsck --data-dir DIR says which`,
    );
  if (status === 404) return new FirebreakError('not-found', `the ledger at ${url} has no ${path}`);
  if (status === 401)
    return new FirebreakError('permission', `the ledger at ${url} does not accept this payload token`);
  if (code === 'witness')
    return new FirebreakError('unreachable', `the ledger at ${url} shows nothing until witnesses cosign`);
  return new FirebreakError('unreachable', `the ledger at ${url} answered ${path} with status ${status}`);
}

class LedgerReaderHttp implements LedgerReader {
  readonly #options: LedgerReaderHttpOptions;
  readonly #url: string;
  readonly #closing = new AbortController();

  constructor(options: LedgerReaderHttpOptions) {
    this.#options = options;
    this.#url = options.url.replace(/\/+$/, '');
  }

  async checkpoint(): Promise<string> {
    const bytes = await this.#ask({ path: 'checkpoint', maxBytes: MAX_CHECKPOINT_BYTES });
    const text = utf8Text(bytes);
    if (text !== undefined) return text;
    throw new FirebreakError('format', `the ledger at ${this.#url} sent a checkpoint that is not text`);
  }

  async tile(level: number, index: number, width: number): Promise<Uint8Array> {
    const path = tilePath(level, index, width);
    const bytes = await this.#ask({ path, maxBytes: width * HASH_LENGTH });
    if (bytes.length === width * HASH_LENGTH) return bytes;
    throw new FirebreakError('format', `the ledger at ${this.#url} sent ${path} with ${bytes.length} bytes`);
  }

  async entryBundle(index: number, width: number): Promise<Uint8Array> {
    return this.#ask({ path: entriesPath(index, width), maxBytes: width * (2 + MAX_ENTRY_BYTES) });
  }

  async payloads(hashes: readonly Uint8Array[]): Promise<readonly FoundPayload[]> {
    if (hashes.length === 0) return [];
    if (hashes.length > MAX_PAYLOADS_PER_CALL) {
      throw new FirebreakError('size', `at most ${MAX_PAYLOADS_PER_CALL} payloads are asked for at once`);
    }
    const maxBytes = hashes.length * (4 + MAX_PAYLOAD_LENGTH);
    const answer = await this.#ask({ path: 'payloads', body: encodeHashes(hashes), maxBytes });
    return decodePayloads(answer, hashes.length);
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  #headers(isForPayloads: boolean): Record<string, string> {
    const { token } = this.#options;
    return {
      ...(isForPayloads && token !== undefined && { authorization: `Bearer ${token}` }),
      // Between two processes of one machine, packing takes longer than what it saves.
      ...(isLoopback(new URL(this.#url).hostname) && { 'accept-encoding': 'identity' }),
    };
  }

  async #ask({ path, body, maxBytes }: Request): Promise<Uint8Array> {
    const { timeoutMs = 30_000 } = this.#options;
    const ask = async (signal: AbortSignal): Promise<Uint8Array> => {
      const response = await fetch(`${this.#url}/${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        body: body ?? null,
        headers: this.#headers(body !== undefined),
        signal,
        redirect: 'error',
      });
      if (response.ok) return boundedBody(response, maxBytes, 'the ledger');
      await response.body?.cancel();
      throw refusal(response, this.#url, path);
    };
    try {
      return await withTimeLimit(timeoutMs, [this.#closing.signal], ask);
    } catch (error) {
      throw error instanceof FirebreakError ? error : unreachable(this.#url, error);
    }
  }
}

/** A reader of the ledger at `url`. Nothing is asked until it is used. Throws `input` for what is no http(s) URL. */
export function openLedgerReaderHttp(options: LedgerReaderHttpOptions): LedgerReader {
  if (!/^https?:\/\//.test(options.url) || !URL.canParse(options.url)) {
    throw new FirebreakError('input', `${options.url} is not the URL of a ledger`);
  }
  return new LedgerReaderHttp(options);
}
