/** A trace: one or two walks and their explanation (tracing.md). Pure. */
import { FirebreakError } from '../protocol/errors.js';
import { nearSecondsOf } from './contact.js';
import { personOf } from './contact-graph.js';
import type { ContactGraph } from './contact-graph.js';
import type { PathStep, ReachedPerson, TraceRequest, TraceResult } from './trace-result.js';
import { contactAt, walk } from './walk.js';
import type { Arrival, Label, WalkSettings } from './walk.js';

export const MAX_HOPS = 16;

/** Throws `input` for a request out of bounds, `not-found` for a case nobody was in contact with. */
export function trace(graph: ContactGraph, request: TraceRequest): TraceResult {
  requireBounds(request);
  const index = personOf(graph, Number(request.case));
  if (index === undefined)
    throw new FirebreakError('not-found', `case ${request.case} is in no contact that the ledger holds`);
  if (request.direction !== 'both') {
    return {
      ...request,
      reached: rowsOf(graph, walk(graph, [index], settingsOf(request, request.direction)), request.direction),
    };
  }
  const sources = walk(graph, [index], settingsOf(request, 'backward'));
  const reached = walk(graph, [...sources.keys()], settingsOf(request, 'forward'));
  return {
    ...request,
    reached: rowsOf(graph, reached, 'forward').map((row) => ({
      ...row,
      source: row.path[0]?.from ?? request.case,
    })),
    sources: rowsOf(graph, sources, 'backward'),
  };
}

function requireBounds(request: TraceRequest): void {
  const problem = !/^\d{1,15}$/.test(request.case)
    ? `case “${request.case}” is not a tag number`
    : !(Number.isInteger(request.hops) && request.hops >= 1 && request.hops <= MAX_HOPS)
      ? `hops must be 1 to ${MAX_HOPS}`
      : !(request.from <= request.to)
        ? 'the window ends before it begins'
        : [request.minSeconds, request.latentSeconds, request.infectiousSeconds ?? 0].some((s) => !(s >= 0))
          ? 'seconds must not be negative'
          : undefined;
  if (problem !== undefined) throw new FirebreakError('input', problem);
}

function settingsOf(request: TraceRequest, direction: WalkSettings['direction']): WalkSettings {
  const { hops, from, to, minSeconds, latentSeconds, infectiousSeconds } = request;
  return { direction, hops, from, to, minSeconds, latentSeconds, infectiousSeconds };
}

function rowsOf(
  graph: ContactGraph,
  labels: ReadonlyMap<number, Label>,
  direction: WalkSettings['direction'],
): ReachedPerson[] {
  const sign = direction === 'forward' ? 1 : -1;
  return [...labels]
    .filter(([, label]) => label.hop > 0)
    .map(([person, label]) => ({
      person: nameOf(graph, person),
      hop: label.hop,
      exposedAt: sign * label.exposed.at,
      earliestAt: sign * Math.min(...label.arrivals.map((arrival) => arrival.at)),
      score: label.score,
      path: pathTo(graph, label.exposed, direction),
    }))
    .sort((x, y) => x.hop - y.hop || x.exposedAt - y.exposedAt || Number(x.person) - Number(y.person));
}

/** From the case outwards; a backward path runs from the possible source to the case. */
function pathTo(graph: ContactGraph, reached: Arrival, direction: WalkSettings['direction']): PathStep[] {
  const steps: PathStep[] = [];
  for (let arrival = reached; arrival.previous !== undefined; arrival = arrival.previous) {
    const { start, end, mutual, ledger, ...contact } = contactAt(graph, arrival);
    const [near, far] = [nameOf(graph, arrival.previous.person), nameOf(graph, arrival.person)];
    const [from, to] = direction === 'forward' ? [near, far] : [far, near];
    steps.push({
      from,
      to,
      start,
      end,
      nearSeconds: nearSecondsOf({ start, end, mutual, ledger, ...contact }),
      mutual,
      ledger,
    });
  }
  return direction === 'forward' ? steps.reverse() : steps;
}

const nameOf = (graph: ContactGraph, person: number): string => String(graph.people[person]);
