/** Which request gets which answer (docs/ledger-http.md). Errors are thrown, server.ts turns them into status codes. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { fromHex } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { isPruned, type LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { parseTilePath } from '../../protocol/tlog/tile.js';
import type { DayRecord } from '../store/day-record.js';
import { encodeDays } from './days.js';
import { takesGzip, type BundleGzip } from './gzip.js';
import { decodeHashes, encodePayloads, MAX_PAYLOADS_PER_CALL } from './payload-frames.js';

const MAX_BODY_BYTES = MAX_PAYLOADS_PER_CALL * 32;
const BYTES = 'application/octet-stream';
/** A tile of one width never changes, so neither does its address (C2SP tlog-tiles). */
const FOR_EVER = 'public, max-age=31536000, immutable';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Uint8Array;
}

export interface RouteDeps {
  readonly reader: LedgerReader;
  readonly payloadToken?: string;
  /** What is stored and pruned, by day; for readers with the token. */
  readonly days?: () => readonly DayRecord[];
  readonly gzip: BundleGzip;
}

const ok = (body: Uint8Array, type: string, cache: string): HttpAnswer => ({
  status: 200,
  headers: { 'content-type': type, 'cache-control': cache },
  body,
});

/** The address is there, and takes other methods only. */
export class MethodRefusal extends FirebreakError {
  readonly allowed: readonly string[];

  constructor(allowed: readonly string[]) {
    super('usage', `use ${allowed.join(' or ')} here`);
    this.allowed = allowed;
  }
}

function requireMethod(request: IncomingMessage, allowed: readonly string[]): void {
  if (allowed.includes(request.method ?? '')) return;
  throw new MethodRefusal(allowed);
}

/** Hashed before comparing, so that neither time nor length tells anything of the token. */
function requireToken(request: IncomingMessage, token: string | undefined): void {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const shown = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (token !== undefined && shown !== undefined && timingSafeEqual(digest(shown), digest(token))) return;
  throw new FirebreakError(
    'permission',
    'payloads are for readers with a token: send it as "Authorization: Bearer …"',
  );
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let length = 0;
  const body: AsyncIterable<Buffer> = request;
  try {
    for await (const part of body) {
      length += part.length;
      if (length > MAX_BODY_BYTES)
        throw new FirebreakError('size', `a request is at most ${MAX_BODY_BYTES} bytes`);
      parts.push(part);
    }
  } catch (cause) {
    if (cause instanceof FirebreakError) throw cause;
    throw new FirebreakError('format', 'the request was cut off', { cause });
  }
  return Buffer.concat(parts);
}

async function tileAnswer(request: IncomingMessage, { reader, gzip }: RouteDeps): Promise<HttpAnswer> {
  const address = parseTilePath(pathOf(request).slice(1));
  if (address.kind === 'hashes')
    return ok(await reader.tile(address.level, address.index, address.width), BYTES, FOR_EVER);
  const bundle = await reader.entryBundle(address.index, address.width);
  const packed = takesGzip(request.headers['accept-encoding']) ? await gzip.pack(bundle) : undefined;
  const { status, headers, body } = ok(packed ?? bundle, BYTES, FOR_EVER);
  const encoding = packed && { 'content-encoding': 'gzip' };
  // A cache keeps both forms apart, also when it asked for neither (RFC 9110 §12.5.5).
  return { status, headers: { ...headers, ...encoding, vary: 'accept-encoding' }, body };
}

async function payloadAnswer(hex: string, reader: LedgerReader): Promise<HttpAnswer> {
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw new FirebreakError('format', 'a payload is named by its SHA-256 in lowercase hex');
  const [payload] = await reader.payloads([fromHex(hex)]);
  if (payload === undefined)
    throw new FirebreakError('not-found', 'the ledger holds no payload with this hash');
  if (isPruned(payload))
    throw new FirebreakError('pruned', `pruned on ${new Date(payload.prunedAtMs).toISOString()}`);
  return ok(payload, BYTES, 'no-store');
}

const pathOf = (request: IncomingMessage): string => request.url?.split('?', 1)[0] ?? '/';

/** Throws `not-found`, `format`, `size`, `permission`, MethodRefusal. */
export async function answerTo(request: IncomingMessage, deps: RouteDeps): Promise<HttpAnswer> {
  const { reader, payloadToken, days } = deps;
  const path = pathOf(request);
  if (path === '/checkpoint') {
    requireMethod(request, ['GET', 'HEAD']);
    return ok(Buffer.from(await reader.checkpoint(), 'utf8'), 'text/plain; charset=utf-8', 'no-cache');
  }
  if (path.startsWith('/tile/')) {
    requireMethod(request, ['GET', 'HEAD']);
    return tileAnswer(request, deps);
  }
  if (path === '/payloads') {
    requireMethod(request, ['POST']);
    requireToken(request, payloadToken);
    const payloads = await reader.payloads(decodeHashes(await bodyOf(request)));
    return ok(encodePayloads(payloads), BYTES, 'no-store');
  }
  if (path.startsWith('/payload/')) {
    requireMethod(request, ['GET', 'HEAD']);
    requireToken(request, payloadToken);
    return payloadAnswer(path.slice('/payload/'.length), reader);
  }
  if (path === '/days' && days !== undefined) {
    requireMethod(request, ['GET', 'HEAD']);
    requireToken(request, payloadToken);
    return ok(encodeDays(days()), 'application/json', 'no-store');
  }
  throw new FirebreakError('not-found', 'there is nothing here');
}
