/** How a question that is not answered is answered: a status and one line of JSON. */
import { FirebreakError } from '../../protocol/errors.js';
import { AskerError } from '../asker-error.js';
import { reasonOf } from '../follow/follow.js';
import { FailedAfterLook, IS_RECORDED } from '../looks/nobody-found.js';
import { isRefusalCode } from './refusal-codes.js';
import type { RefusalCode } from './refusal-codes.js';

/** A refusal that has a status of its own, whatever its code. */
export class HttpRefusal extends AskerError {
  declare readonly code: RefusalCode;
  readonly status: number;
  /** When it is worth asking again. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, code: RefusalCode, message: string, retryAfterSeconds?: number) {
    super(code, message);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface Refused {
  readonly status: number;
  readonly code: RefusalCode;
  readonly message: string;
  readonly retryAfterSeconds?: number;
  /** What the log alone is told. */
  readonly why?: string;
}

/** A folder or a file, at the beginning of a word: no URL, and no such pair as and/or. */
const PATH = /(?:^|[\s"'“(=:])(?:~|\.{1,2}|[A-Za-z]:)?[/\\][^\s/\\]/;
const FAILED = 'the tracer failed to answer; its operator finds why in its log';
const UNAVAILABLE = 503;
const STATUS: Partial<Record<RefusalCode, number>> = {
  permission: 403,
  format: 400,
  input: 400,
  'not-found': 404,
  size: 413,
  timeout: 504,
};

/** What Fastify refuses by itself, by its status. */
const OF_FASTIFY: Partial<Record<number, readonly [code: RefusalCode, message: string]>> = {
  400: ['format', 'the request is not one that can be read: a question is an object in JSON'],
  404: ['not-found', 'there is nothing here; what there is, /openapi.json says'],
  413: ['size', 'the question has more bytes than this tracer takes'],
  415: ['format', 'a question comes as application/json'],
};

/**
 * What to answer to whatever was thrown. Told is what was made for whoever asks. All else is no fault of the question, whatever its
 * code: of what is ours the log has the words, of what is unexpected only where it arose, for its words may name anything.
 * A second line holds where words for whoever asks were put together with others': what names a folder stays inside all the same, and
 * so does what has a code that is none of this API's.
 */
export function refusedBy(error: unknown): Refused {
  if (error instanceof HttpRefusal) {
    const { status, code, message, retryAfterSeconds } = error;
    return { status, code, message, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
  }
  if (error instanceof AskerError) {
    const { code, message } = error;
    if (isRefusalCode(code) && !PATH.test(message))
      return { status: STATUS[code] ?? UNAVAILABLE, code, message };
    return { status: UNAVAILABLE, code: 'closed', message: FAILED, why: placeOf(error) };
  }
  if (error instanceof FailedAfterLook) {
    const refused = refusedBy(error.cause);
    return { ...refused, message: `${refused.message}; ${IS_RECORDED}` };
  }
  if (error instanceof FirebreakError)
    return { status: UNAVAILABLE, code: 'closed', message: FAILED, why: reasonOf(error) };
  const status = statusOf(error);
  const known = OF_FASTIFY[status];
  if (known !== undefined) return { status, code: known[0], message: known[1] };
  return { status: 500, code: 'closed', message: FAILED, why: placeOf(error) };
}

/** Where an unexpected error arose: the first frame of its stack, which holds no data. */
function placeOf(error: unknown): string {
  const frame = error instanceof Error ? /^\s+at (.*)$/m.exec(error.stack ?? '')?.[1] : undefined;
  return `${error instanceof Error ? error.name : typeof error} at ${frame ?? 'no place known'}`;
}

const statusOf = (error: unknown): number =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : 500;
