/** A writer adds only entries of its own types (protocol.md §10). */
import type { Refusal } from '../../protocol/errors.js';
import type { Writer } from './writer.js';

export function entryTypeRule(type: number, writer: Writer): Refusal | undefined {
  return writer.types.has(type) ? undefined : 'type';
}
