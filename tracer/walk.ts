/**
 * The walk (tracing.md, "Forward trace", "Backward trace"): rounds over label snapshots, so that hop limits are exact;
 * only improved labels are expanded. Which way time runs is the lens's business.
 */
import { nearSecondsOf } from './contact.js';
import type { Contact } from './contact.js';
import { otherSide } from './contact-graph.js';
import type { ContactGraph } from './contact-graph.js';
import type { Arrival, Label } from './label.js';
import { isOpen } from './lens.js';
import type { Lens, WalkSettings } from './lens.js';
import { scoreOf } from './score.js';

/** Labels of everybody reached, starts included (hop 0, score 1). A start is never reached again. */
export function walk(
  graph: ContactGraph,
  starts: readonly number[],
  lens: Lens,
  { hops, infectiousSeconds }: Pick<WalkSettings, 'hops' | 'infectiousSeconds'>,
): Map<number, Label> {
  const labels = new Map<number, Label>();
  const keepsAll = infectiousSeconds !== undefined;
  let frontier: readonly Arrival[] = starts.map((person) => startAt(person, lens));
  for (const start of frontier) labels.set(start.person, labelOf(0, start, 1));
  for (let hop = 1; hop <= hops && frontier.length > 0; hop++) {
    const arrived = arrivalsFrom(frontier, { graph, labels, lens, keepsAll });
    const scores = new Map<number, number>();
    for (const person of arrived.keys())
      if (!labels.has(person)) scores.set(person, scoreOf(person, graph, labels, lens));
    frontier = settle(arrived, scores, labels, hop, keepsAll);
  }
  return labels;
}

function startAt(person: number, { opensAt }: Lens): Arrival {
  return { person, at: opensAt, ready: opensAt, contact: undefined, previous: undefined };
}

function labelOf(hop: number, exposed: Arrival, score: number): Label {
  return { hop, exposed, score, earliest: exposed.at, arrivals: new Map([[exposed.at, exposed]]) };
}

/** New arrivals of one round, by person; by time with an infectious period, else the earliest alone. */
type Arrived = Map<number, Map<number, Arrival>>;

interface Round {
  readonly graph: ContactGraph;
  /** As of the round before. */
  readonly labels: ReadonlyMap<number, Label>;
  readonly lens: Lens;
  /** An infectious period makes every arrival matter, not the earliest alone. */
  readonly keepsAll: boolean;
}

const EARLIEST = 0;

function arrivalsFrom(frontier: readonly Arrival[], round: Round): Arrived {
  const { graph, labels, lens, keepsAll } = round;
  const arrived: Arrived = new Map();
  for (const previous of frontier) {
    for (const contact of lens.ahead(previous)) {
      if (!isOpen(previous, contact, lens) || !lens.usable(contact)) continue;
      const person = otherSide(graph, contact, previous.person);
      const at = lens.endOf(contact);
      if (!isNews(labels.get(person), at, keepsAll)) continue;
      const ways = arrived.get(person) ?? new Map<number, Arrival>();
      const slot = keepsAll ? at : EARLIEST;
      const candidate = { person, at, ready: at + lens.latent, contact, previous };
      const rival = ways.get(slot);
      if (rival === undefined || isBetter(candidate, rival, graph)) ways.set(slot, candidate);
      arrived.set(person, ways);
    }
  }
  return arrived;
}

function isNews(label: Label | undefined, at: number, keepsAll: boolean): boolean {
  if (label === undefined) return true;
  if (label.hop === 0) return false;
  return keepsAll ? !label.arrivals.has(at) : at < label.earliest;
}

/** Earlier; at the same time lower attenuation, longer nearSeconds, lower tag number of the infector. */
function isBetter(candidate: Arrival, rival: Arrival, graph: ContactGraph): boolean {
  if (candidate.at !== rival.at) return candidate.at < rival.at;
  const mine = contactAt(graph, candidate);
  const theirs = contactAt(graph, rival);
  if (mine.attenuationDb !== theirs.attenuationDb) return mine.attenuationDb < theirs.attenuationDb;
  const longer = nearSecondsOf(mine) - nearSecondsOf(theirs);
  if (longer !== 0) return longer > 0;
  return (candidate.previous?.person ?? 0) < (rival.previous?.person ?? 0); // people are in order of tag number
}

/** Writes the round into the labels; what is new in it is the next frontier. */
function settle(
  arrived: Arrived,
  scores: ReadonlyMap<number, number>,
  labels: Map<number, Label>,
  hop: number,
  keepsAll: boolean,
): Arrival[] {
  const frontier: Arrival[] = [];
  for (const [person, ways] of arrived) {
    const inOrder = [...ways.values()].sort((x, y) => x.at - y.at);
    for (const arrival of inOrder) {
      const label = labels.get(person);
      if (label === undefined) labels.set(person, labelOf(hop, arrival, scores.get(person) ?? 0));
      else addArrival(label, arrival, keepsAll);
      frontier.push(arrival);
    }
  }
  return frontier;
}

function addArrival(label: Label, arrival: Arrival, keepsAll: boolean): void {
  if (!keepsAll) label.arrivals.clear();
  label.arrivals.set(arrival.at, arrival);
  label.earliest = Math.min(label.earliest, arrival.at);
}

/** The contact an arrival came by. */
export function contactAt(graph: ContactGraph, arrival: Arrival): Contact {
  const contact = graph.contacts[arrival.contact ?? -1];
  if (contact === undefined) throw new RangeError('a start has no contact');
  return contact;
}
