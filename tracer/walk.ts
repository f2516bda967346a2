/**
 * The walk (tracing.md, "Forward trace", "Backward trace"): rounds over label snapshots, so that hop limits are exact;
 * only improved labels are expanded. A backward walk is the time mirror of a forward one: the engine sees each contact
 * through a Lens, in which time always runs away from the case.
 */
import { nearSecondsOf } from './contact.js';
import type { Contact } from './contact.js';
import type { ContactGraph } from './contact-graph.js';
import { scoreOf } from './score.js';

export interface WalkSettings {
  readonly direction: 'forward' | 'backward';
  readonly hops: number;
  readonly from: number;
  readonly to: number;
  readonly minSeconds: number;
  readonly latentSeconds: number;
  readonly infectiousSeconds: number | undefined;
}

/** One way to have been reached. Times are in the lens: negated when walking backward. */
export interface Arrival {
  readonly person: number;
  readonly at: number;
  /** From when on this person can pass it on. */
  readonly ready: number;
  /** The contact and the arrival before it; none for a start. */
  readonly contact: number | undefined;
  readonly previous: Arrival | undefined;
}

export interface Label {
  readonly hop: number;
  /** As of the round of `hop`. */
  readonly exposed: Arrival;
  readonly score: number;
  /** All so far with an infectious period, else the earliest alone. */
  arrivals: readonly Arrival[];
}

/** Labels of everybody reached, starts included (hop 0). */
export function walk(
  graph: ContactGraph,
  starts: readonly number[],
  settings: WalkSettings,
): Map<number, Label> {
  const lens = lensOf(graph, settings);
  const labels = new Map<number, Label>();
  let frontier: Arrival[] = starts.map((person) => startAt(person, lens));
  for (const start of frontier)
    labels.set(start.person, { hop: 0, exposed: start, score: 1, arrivals: [start] });
  for (let hop = 1; hop <= settings.hops && frontier.length > 0; hop++) {
    const arrived = arrivalsFrom(frontier, labels, lens, graph, settings);
    const scores = scoreNewcomers(arrived, labels, lens, graph);
    frontier = settle(arrived, scores, labels, hop, settings);
  }
  return labels;
}

/** How a walk sees time, and which contacts it may use at all. */
export interface Lens {
  readonly startOf: (contact: number) => number;
  readonly endOf: (contact: number) => number;
  /** Whether the contact is a close one inside the window. */
  readonly usable: (contact: number) => boolean;
  readonly opensAt: number;
  readonly latent: number;
  readonly infectious: number;
}

function lensOf(graph: ContactGraph, settings: WalkSettings): Lens {
  const { start, end, nearInDay } = graph;
  const { from, to, minSeconds } = settings;
  const forward = settings.direction === 'forward';
  const endsBy = forward ? to : -from;
  const endOf = forward ? (k: number) => end[k] ?? NaN : (k: number) => -(start[k] ?? NaN);
  return {
    startOf: forward ? (k) => start[k] ?? NaN : (k) => -(end[k] ?? NaN),
    endOf,
    usable: (k) => endOf(k) <= endsBy && (nearInDay[k] ?? 0) >= minSeconds,
    opensAt: forward ? from : -to,
    latent: settings.latentSeconds,
    infectious: settings.infectiousSeconds ?? Infinity,
  };
}

function startAt(person: number, lens: Lens): Arrival {
  return { person, at: lens.opensAt, ready: lens.opensAt, contact: undefined, previous: undefined };
}

/** Whether somebody with this arrival can have passed it on in that contact. */
export const isOpen = (arrival: Arrival, contact: number, lens: Lens): boolean => {
  const start = lens.startOf(contact);
  return arrival.ready <= start && start <= arrival.ready + lens.infectious;
};

type Arrived = Map<number, Map<number, Arrival>>;

/** New arrivals of one round, by person and time; the better of two at the same time. */
function arrivalsFrom(
  frontier: readonly Arrival[],
  labels: ReadonlyMap<number, Label>,
  lens: Lens,
  graph: ContactGraph,
  settings: WalkSettings,
): Arrived {
  const arrived: Arrived = new Map();
  const all = settings.infectiousSeconds !== undefined;
  for (const arrival of frontier) {
    for (const contact of contactsOf(graph, arrival.person)) {
      if (!isOpen(arrival, contact, lens) || !lens.usable(contact)) continue;
      const person = otherSide(graph, contact, arrival.person);
      const at = lens.endOf(contact);
      if (!isNews(labels.get(person), at, all)) continue;
      const ways = arrived.get(person) ?? new Map<number, Arrival>();
      const candidate = { person, at, ready: at + lens.latent, contact, previous: arrival };
      const rival = ways.get(at);
      if (rival === undefined || isBetter(candidate, rival, graph)) ways.set(at, candidate);
      arrived.set(person, ways);
    }
  }
  return arrived;
}

/** Without an infectious period only an earlier arrival matters; with one, any that was not there. */
function isNews(label: Label | undefined, at: number, all: boolean): boolean {
  if (label === undefined) return true;
  if (label.hop === 0) return false;
  if (all) return !label.arrivals.some((known) => known.at === at);
  return at < (label.arrivals[0]?.at ?? Infinity);
}

/** Equal arrivals: lower attenuation, longer nearSeconds, lower tag number of the infector. */
function isBetter(candidate: Arrival, rival: Arrival, graph: ContactGraph): boolean {
  const mine = contactAt(graph, candidate);
  const theirs = contactAt(graph, rival);
  if (mine.attenuationDb !== theirs.attenuationDb) return mine.attenuationDb < theirs.attenuationDb;
  const longer = nearSecondsOf(mine) - nearSecondsOf(theirs);
  if (longer !== 0) return longer > 0;
  return (candidate.previous?.person ?? 0) < (rival.previous?.person ?? 0);
}

function scoreNewcomers(
  arrived: Arrived,
  labels: ReadonlyMap<number, Label>,
  lens: Lens,
  graph: ContactGraph,
) {
  const scores = new Map<number, number>();
  for (const person of arrived.keys()) {
    if (!labels.has(person)) scores.set(person, scoreOf(person, graph, labels, lens));
  }
  return scores;
}

/** Writes the round into the labels; what it improved is the next frontier. */
function settle(
  arrived: Arrived,
  scores: ReadonlyMap<number, number>,
  labels: Map<number, Label>,
  hop: number,
  settings: WalkSettings,
): Arrival[] {
  const frontier: Arrival[] = [];
  for (const [person, ways] of arrived) {
    const inOrder = [...ways.values()].sort((x, y) => x.at - y.at);
    const [earliest] = inOrder;
    if (earliest === undefined) continue;
    const kept = settings.infectiousSeconds === undefined ? [earliest] : inOrder;
    const label = labels.get(person);
    if (label === undefined)
      labels.set(person, { hop, exposed: earliest, score: scores.get(person) ?? 0, arrivals: kept });
    else label.arrivals = settings.infectiousSeconds === undefined ? kept : [...label.arrivals, ...kept];
    frontier.push(...kept);
  }
  return frontier;
}

export function contactsOf(graph: ContactGraph, person: number): Int32Array {
  return graph.adjacent.subarray(graph.rows[person] ?? 0, graph.rows[person + 1] ?? 0);
}

export function otherSide(graph: ContactGraph, contact: number, person: number): number {
  const lower = graph.lower[contact] ?? -1;
  return lower === person ? (graph.upper[contact] ?? -1) : lower;
}

export function contactAt(graph: ContactGraph, arrival: Arrival): Contact {
  const contact = graph.contacts[arrival.contact ?? -1];
  if (contact === undefined) throw new RangeError('a start has no contact');
  return contact;
}
