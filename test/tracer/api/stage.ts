/** A tracer over HTTP, on a log of real sealed reports, and those who ask it. */
import { onTestFinished } from 'vitest';
import type { Log } from '../../../protocol/log.js';
import { tracerAnswers } from '../../../tracer/api/answers.js';
import type { TracerApi } from '../../../tracer/api/contract.js';
import { Pulse } from '../../../tracer/api/pulse.js';
import { serveTracerHttp } from '../../../tracer/api/serve.js';
import type { TracerHttpOptions } from '../../../tracer/api/serve.js';
import { tokenHash } from '../../../tracer/api/tokens.js';
import type { Bearer, KnownToken } from '../../../tracer/api/tokens.js';
import type { Tracer, TracerDeps } from '../../../tracer/tracer.js';
import { recordingTracer, ward } from '../evidence-stage.js';
import type { MemoryLog } from '../memory-log.js';

export const LOCAL = 'the-folders-own';
export const OFFICER = 'fbt_wu';
export const OPERATOR = 'fbt_machine';

const known = (token: string, bearer: Bearer): KnownToken => ({ sha256: tokenHash(token), bearer });
export const TOKENS: readonly KnownToken[] = [
  known(LOCAL, { roles: ['officer', 'operator'] }),
  known(OFFICER, { roles: ['officer'], officer: 'Dr. Wu' }),
  known(OPERATOR, { roles: ['operator'], officer: 'the pager' }),
];

export interface Stage {
  readonly url: string;
  /** All that was logged, a line each. */
  readonly lines: string[];
  readonly close: () => Promise<void>;
  /** Asks with a token; the body as JSON. */
  readonly post: (path: string, body: unknown, token?: string) => Promise<Response>;
  readonly get: (path: string, token?: string) => Promise<Response>;
}

export async function serve(api: TracerApi, changes: Partial<TracerHttpOptions> = {}): Promise<Stage> {
  const lines: string[] = [];
  const note = (...said: unknown[]): void => void lines.push(JSON.stringify(said));
  const log: Log = { info: note, warn: note, error: note };
  const http = await serveTracerHttp({ api, tokens: () => TOKENS, port: 0, log, ...changes });
  onTestFinished(() => http.close());
  const ask = (path: string, token: string, init: RequestInit): Promise<Response> =>
    fetch(new URL(path, http.url), {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });
  return {
    url: http.url,
    close: () => http.close(),
    lines,
    post: (path, body, token = OFFICER) => ask(path, token, { method: 'POST', body: JSON.stringify(body) }),
    get: (path, token = OPERATOR) => ask(path, token, {}),
  };
}

/** The real one, as `firebreak tracer run` puts it together. */
export async function realApi(
  log: MemoryLog = ward(),
  changes: Partial<TracerDeps> = {},
): Promise<{ api: TracerApi; log: MemoryLog; tracer: Tracer }> {
  const tracer = await recordingTracer(log, changes);
  const pulse = new Pulse(tracer, () => Date.now());
  await pulse.catchUp();
  const begun = log.entries.length;
  const api = tracerAnswers({ tracer, pulse, looksRecorded: () => log.entries.length - begun });
  return { api, log, tracer };
}

export interface RefusedAnswer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** A refusal as it came; fails on an answer of another shape. */
export async function refusalOf(response: Response): Promise<RefusedAnswer> {
  const text = await response.text();
  const body: unknown = JSON.parse(text);
  if (typeof body !== 'object' || body === null || Object.keys(body).join() !== 'code,message')
    throw new Error(`no refusal: ${text}`);
  return { status: response.status, ...(body as Omit<RefusedAnswer, 'status'>) };
}
