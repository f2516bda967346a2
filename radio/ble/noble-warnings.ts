/**
 * What noble warns of, for the log. It names whom it speaks of by the radio address: a gateway's tells where the wearer was.
 * And it warns of every peripheral it no longer knows, which is each that we took out of its tables.
 */
import type { Log } from '../../protocol/log.js';
import type { Noble } from './libraries.js';

const FORGOTTEN = /^unknown peripheral /;
/** Six bytes in hexadecimal, with or without separators. */
const ADDRESS = /\b(?:[0-9a-f]{2}[:-]?){5}[0-9a-f]{2}\b/gi;

/** From now on noble's warnings go to the log and nowhere else. */
export function logWarnings(noble: Noble, log: Log): void {
  noble.removeAllListeners('warning'); // the maintained family prints them
  noble.on('warning', (reason: unknown) => {
    const words = String(reason);
    if (!FORGOTTEN.test(words)) log.warn('noble', { reason: words.replace(ADDRESS, '(an address)') });
  });
}
