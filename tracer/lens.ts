/**
 * How a walk sees contacts. A backward walk is the time mirror of a forward one (tracing.md, "Backward trace"): through its
 * lens, where each contact's start is minus its end, time runs away from the case there too.
 */
import { contactsOf } from './contact-graph.js';
import type { ContactGraph } from './contact-graph.js';
import type { Arrival } from './label.js';

export interface WalkSettings {
  readonly direction: 'forward' | 'backward';
  readonly hops: number;
  /** Window, latent and infectious period in unix seconds and seconds. */
  readonly from: number;
  readonly to: number;
  readonly minSeconds: number;
  readonly latentSeconds: number;
  readonly infectiousSeconds: number | undefined;
}

export interface Lens {
  readonly startOf: (contact: number) => number;
  readonly endOf: (contact: number) => number;
  /** Whether the contact is a close one that ends inside the window. */
  readonly usable: (contact: number) => boolean;
  /** Contacts of the arrived person, none of those left out open to it; not all of those named need be. */
  readonly ahead: (arrival: Arrival) => Int32Array;
  /** A time in the lens as the clock tells it. */
  readonly unixSeconds: (time: number) => number;
  /** When those whom the walk starts from begin to pass it on. */
  readonly opensAt: number;
  readonly latent: number;
  readonly infectious: number;
}

export function lensOf(graph: ContactGraph, settings: WalkSettings): Lens {
  const { start, end, nearInDay } = graph;
  const { from, to, minSeconds, latentSeconds: latent, infectiousSeconds: infectious = Infinity } = settings;
  const isClose = (k: number): boolean => (nearInDay[k] ?? 0) >= minSeconds;
  const startOf = (k: number): number => start[k] ?? NaN;
  const endOf = (k: number): number => end[k] ?? NaN;
  if (settings.direction === 'forward') {
    return {
      startOf,
      endOf,
      usable: (k) => endOf(k) <= to && isClose(k),
      ahead: ({ person, ready }) => startingFrom(graph, person, ready),
      unixSeconds: (time) => time,
      opensAt: from,
      latent,
      infectious,
    };
  }
  return {
    startOf: (k) => -endOf(k),
    endOf: (k) => -startOf(k),
    usable: (k) => startOf(k) >= from && isClose(k),
    ahead: ({ person, ready }) => startingBy(graph, person, -ready),
    unixSeconds: (time) => 0 - time, // and never −0
    opensAt: -to,
    latent,
    infectious,
  };
}

/** Whether somebody with this arrival can have passed it on in that contact. All comparisons inclusive. */
export function isOpen({ ready }: Arrival, contact: number, { startOf, infectious }: Lens): boolean {
  const start = startOf(contact);
  return ready <= start && start <= ready + infectious;
}

function startingFrom(graph: ContactGraph, person: number, time: number): Int32Array {
  const contacts = contactsOf(graph, person);
  return contacts.subarray(countBefore(graph, contacts, (start) => start < time));
}

function startingBy(graph: ContactGraph, person: number, time: number): Int32Array {
  const contacts = contactsOf(graph, person);
  return contacts.subarray(
    0,
    countBefore(graph, contacts, (start) => start <= time),
  );
}

/** How many from the first on have a start of which `holds` is true; contacts of a person are in order of start. */
function countBefore(
  { start }: ContactGraph,
  contacts: Int32Array,
  holds: (start: number) => boolean,
): number {
  let low = 0;
  let high = contacts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(start[contacts[middle] ?? -1] ?? Infinity)) low = middle + 1;
    else high = middle;
  }
  return low;
}
