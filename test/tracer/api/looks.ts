/** What the authority reads of the looks in a log. */
import { joinAccess, openAccessPart } from '../../../protocol/payload/access.js';
import type { AccessRecord } from '../../../protocol/payload/access.js';
import type { MemoryLog } from '../memory-log.js';

/** The secret key that goes with the audit key of evidence-stage.ts. */
const AUDIT_KEY = new Uint8Array(32).fill(5);

/** The newest payload of the log, which must be a look. */
export function readAccess(log: MemoryLog): AccessRecord {
  const payload = [...log.payloads.values()].at(-1);
  if (!(payload instanceof Uint8Array)) throw new Error('the log holds no payload');
  return joinAccess([openAccessPart(payload, AUDIT_KEY)]);
}
