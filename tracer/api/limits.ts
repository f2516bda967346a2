/** What the API takes, from everybody together and from each. Times are wall ms. */
import type { DeskLimits } from './desk.js';
import type { SendLimits } from './send.js';

export interface ApiLimits extends DeskLimits, SendLimits {
  readonly bodyBytes: number;
  readonly headerBytes: number;
  readonly connections: number;
  /** For all headers of a request, and for the whole of it. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** How long a connection stays open for another request. */
  readonly keepAliveMs: number;
  /** A connection on which nothing moves is closed. Longer than a question may take. */
  readonly silentMs: number;
  /** How often connections are held against their limits. */
  readonly checkEveryMs: number;
}

const LIMITS: ApiLimits = {
  atOnce: 4,
  waiting: 32,
  sending: 16,
  questionMs: 50_000,
  sliceMs: 10_000,
  answerMs: 300_000,
  bodyBytes: 16_384,
  headerBytes: 8_192,
  connections: 128,
  headersMs: 10_000,
  requestMs: 15_000,
  keepAliveMs: 5_000,
  silentMs: 65_000,
  checkEveryMs: 1_000,
};

/** The usual limits, some of them others. */
export const apiLimits = (changed: Partial<ApiLimits> = {}): ApiLimits => ({ ...LIMITS, ...changed });
