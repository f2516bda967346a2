/**
 * The other end of http.ts: what cli/ gives a tag to enrol and renew by wire, and its wearer to ask who looked. Every wait ends: after `timeoutMs`, or when
 * `signal` says so.
 */
import { z } from 'zod';
import { withTimeLimit } from '../../host/time-limit.js';
import { MAX_AUDIT_ANSWER_BYTES } from '../../protocol/tag/audit-answer.js';
import type { TagNumber } from '../../protocol/brands.js';
import { ByteReader } from '../../protocol/bytes.js';
import { FirebreakError, type ErrorCode } from '../../protocol/errors.js';

/** A sealed pack of 7 days has 65,468 bytes. */
const MAX_PACK_BYTES = 131_072;
const DEFAULT_TIMEOUT_MS = 30_000;

/** Codes the service gives that tell a caller what to do next; any other is handed on as `input`. */
const HANDED_ON: readonly ErrorCode[] = [
  'format',
  'issuer',
  'credential-signature',
  'report-signature',
  'epoch',
  'day',
  'session',
  'sealing',
  'ephemeral-id',
  'signature',
  'exists',
  'not-found',
  'size',
  'full',
  'busy',
  'closed',
  'timeout',
  'permission',
  'unreachable',
  'consistency',
  'chain',
  'witness',
];

const refusal = z.object({ code: z.string(), message: z.string().max(1000) });

export interface EnrolmentClientOptions {
  /** Such as http://127.0.0.1:8470, or https://example.org/authority behind a proxy. */
  readonly url: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Throws the service's code, `unreachable`, or `timeout`. */
export async function enrolByWire(
  options: EnrolmentClientOptions,
  request: Uint8Array,
  tag?: TagNumber,
): Promise<Uint8Array> {
  return post(options, tag === undefined ? '/enrol' : `/enrol?tag=${tag}`, request);
}

/** Throws the service's code, `unreachable`, or `timeout`. */
export async function renewByWire(options: EnrolmentClientOptions, report: Uint8Array): Promise<Uint8Array> {
  return post(options, '/renew', report);
}

/** The authority's time, ms. Throws the service's code, `format`, `unreachable`, or `timeout`. */
export async function timeByWire(options: EnrolmentClientOptions): Promise<number> {
  const reader = new ByteReader(await post(options, '/time', new Uint8Array(0)), 'the time');
  const timeMs = reader.u64();
  reader.end();
  return timeMs;
}

/** Throws the service's code, `unreachable`, or `timeout`. */
export async function auditByWire(options: EnrolmentClientOptions, request: Uint8Array): Promise<Uint8Array> {
  return post(options, '/audit', request, MAX_AUDIT_ANSWER_BYTES);
}

async function post(
  options: EnrolmentClientOptions,
  path: string,
  body: Uint8Array,
  maxBytes = MAX_PACK_BYTES,
): Promise<Uint8Array> {
  const ask = async (signal: AbortSignal): Promise<Uint8Array> => {
    const headers = { 'content-type': 'application/octet-stream' };
    const response = await fetch(`${options.url.replace(/\/+$/, '')}${path}`, {
      method: 'POST',
      headers,
      body: new Uint8Array(body),
      signal,
    });
    const answer = await readAnswer(response, maxBytes);
    if (response.ok) return answer;
    throw refusalOf(answer);
  };
  try {
    return await withTimeLimit(options.timeoutMs ?? DEFAULT_TIMEOUT_MS, [options.signal], ask);
  } catch (cause) {
    throw cause instanceof FirebreakError ? cause : failureOf(options, cause);
  }
}

function failureOf(options: EnrolmentClientOptions, cause: unknown): unknown {
  if (options.signal?.aborted) return options.signal.reason;
  if (cause instanceof Error && cause.name === 'TimeoutError')
    return new FirebreakError('timeout', `the authority at ${options.url} did not answer in time`, { cause });
  return new FirebreakError(
    'unreachable',
    `no authority answers at ${options.url}; is firebreak authority run running?`,
    { cause },
  );
}

async function readAnswer(response: Response, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > maxBytes)
      throw new FirebreakError('size', 'the answer is longer than any that an authority gives');
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

function refusalOf(answer: Uint8Array): FirebreakError {
  const { code, message } = parseRefusal(Buffer.from(answer).toString('utf8'));
  return new FirebreakError(HANDED_ON.find((known) => known === code) ?? 'input', message);
}

function parseRefusal(text: string): z.infer<typeof refusal> {
  try {
    return refusal.parse(JSON.parse(text));
  } catch {
    return {
      code: 'input',
      message: 'the authority refused and did not say why; is this the right address?',
    };
  }
}
