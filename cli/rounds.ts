/** Work that is done again and again, in parts that do not wait for each other's troubles. */
import { asError } from '../protocol/errors.js';
import type { Log } from '../protocol/log.js';

/**
 * One round over the parts, in their order. A part that fails keeps no other from being done, and is tried again in the next
 * round; why it fails is said once, until it is another reason or is over: rounds come twice a second. Never rejects.
 */
export function roundOf(
  parts: Readonly<Record<string, () => Promise<unknown>>>,
  log: Log,
): () => Promise<void> {
  const said = new Map<string, string>();
  return async () => {
    for (const [part, work] of Object.entries(parts)) {
      try {
        await work();
        if (said.delete(part)) log.info('well again', { part });
      } catch (error) {
        const why = asError(error).message;
        if (said.get(part) !== why) log.error('a round of the authority failed; trying again', { part, why });
        said.set(part, why);
      }
    }
  };
}
