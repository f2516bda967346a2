/**
 * What a writer says of itself on its retained status topic (protocol.md §9, §13). Informational: it is not
 * signed, and nothing is decided by it.
 *
 *     {"online": true, "version": "0.1.0", "spoolDepth": 0, "oldestUnsentMs": null}
 */
import { z } from 'zod';
import { FirebreakError } from '../errors.js';

const statusSchema = z.object({
  online: z.boolean(),
  version: z.string().max(64),
  /** Entries not yet receipted. */
  spoolDepth: z.int().nonnegative(),
  /** When the oldest of them was posted, by the deployment's clock. */
  oldestUnsentMs: z.int().nonnegative().nullable(),
});

export type WriterStatus = Readonly<z.infer<typeof statusSchema>>;

export function encodeWriterStatus({ online, version, spoolDepth, oldestUnsentMs }: WriterStatus): string {
  return JSON.stringify({ online, version, spoolDepth, oldestUnsentMs });
}

/** Throws `format`; fields of later versions are ignored. */
export function decodeWriterStatus(json: string): WriterStatus {
  try {
    return statusSchema.parse(JSON.parse(json));
  } catch (cause) {
    throw new FirebreakError('format', 'not the status of a writer', { cause });
  }
}
