/** The codes that this API refuses with; docs/tracer-api.md, "What is refused", has what each means. */
import type { ErrorCode } from '../../protocol/errors.js';

export const REFUSAL_CODES = [
  'format',
  'input',
  'permission',
  'not-found',
  'size',
  'timeout',
  'full',
  'busy',
  'unreachable',
  'closed',
  // the log does not add up
  'consistency',
  'chain',
  'signature',
  'foreign',
  'witness',
  // evidence cannot be made of what the log holds
  'sealing',
  'damaged',
] as const satisfies readonly ErrorCode[];

export type RefusalCode = (typeof REFUSAL_CODES)[number];

export const isRefusalCode = (code: ErrorCode): code is RefusalCode =>
  REFUSAL_CODES.some((known) => known === code);
