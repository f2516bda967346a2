/** What stands in the place of an answer about a window that lies before or after all that is known: "nobody" would be an all-clear. */
import type { Window } from '../../tracer/looks/window.js';
import { localTime } from '../terminal/times.js';

/** `known`: what time is known, by contacts, and where `withStays` by stays at gateways too. */
export const nothingKnown = ({ from, to }: Window, withStays = false): string =>
  `nothing is known of this window: ${withStays ? 'contacts and stays at gateways' : 'contacts'} are known from ${localTime(from)} to ${localTime(to, true)}`;
