/** A trace: one or two walks and their explanation (tracing.md). Pure. */
import { FirebreakError } from '../protocol/errors.js';
import { nearSecondsOf } from './contact.js';
import { personOf } from './contact-graph.js';
import type { ContactGraph } from './contact-graph.js';
import type { Arrival, Label } from './label.js';
import { lensOf } from './lens.js';
import type { Lens, WalkSettings } from './lens.js';
import type { PathStep, ReachedPerson, TraceRequest, TraceResult } from './trace-result.js';
import { contactAt, walk } from './walk.js';

const MAX_HOPS = 16;
const MAX_TAG_NUMBER = 2 ** 48 - 1;

/** Throws `input` for a request out of bounds, `not-found` for a case nobody was in contact with. */
export function trace(graph: ContactGraph, request: TraceRequest): TraceResult {
  requireBounds(request);
  const index = personOf(graph, Number(request.case));
  if (index === undefined)
    throw new FirebreakError('not-found', `case ${request.case} is in no contact that the ledger holds`);
  if (request.direction === 'both') return traceBoth(graph, index, request);
  const { rows } = walkFrom(graph, [index], settingsOf(request, request.direction));
  return { ...request, reached: rows };
}

/** Backward, then one forward walk from the case and all its possible sources, each ready at the start of the window. */
function traceBoth(graph: ContactGraph, index: number, request: TraceRequest): TraceResult {
  const sources = walkFrom(graph, [index], settingsOf(request, 'backward'));
  const reached = walkFrom(graph, sources.people, settingsOf(request, 'forward'));
  return {
    ...request,
    reached: reached.rows.map((row) => ({ ...row, source: row.path[0]?.from ?? request.case })),
    sources: sources.rows,
  };
}

/** Throws `input`. */
export function requireBounds(request: TraceRequest): void {
  const { hops, from, to, minSeconds, latentSeconds, infectiousSeconds = 0 } = request;
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
  const require = (holds: boolean, problem: string) => {
    if (!holds) throw new FirebreakError('input', problem);
  };
  const isTag = /^\d{1,15}$/.test(request.case) && Number(request.case) <= MAX_TAG_NUMBER;
  require(isTag, `case “${request.case}” is not a tag number`);
  require(isCount(hops) && hops >= 1 && hops <= MAX_HOPS, `hops must be 1 to ${MAX_HOPS}`);
  require(isCount(from) && isCount(to), 'the window is in whole unix seconds');
  require(from <= to, 'the window ends before it begins');
  const seconds = [minSeconds, latentSeconds, infectiousSeconds];
  require(seconds.every(isCount), 'seconds are whole numbers, and not negative');
}

function settingsOf(request: TraceRequest, direction: WalkSettings['direction']): WalkSettings {
  const { hops, from, to, minSeconds, latentSeconds, infectiousSeconds } = request;
  return { direction, hops, from, to, minSeconds, latentSeconds, infectiousSeconds };
}

function walkFrom(graph: ContactGraph, starts: readonly number[], settings: WalkSettings) {
  const lens = lensOf(graph, settings);
  const labels = walk(graph, starts, lens, settings);
  const rows = [...labels]
    .filter(([, label]) => label.hop > 0)
    .map(([person, label]) => rowOf(graph, person, label, lens, settings.direction))
    .sort((x, y) => x.hop - y.hop || x.exposedAt - y.exposedAt || Number(x.person) - Number(y.person));
  return { people: [...labels.keys()], rows };
}

function rowOf(
  graph: ContactGraph,
  person: number,
  { hop, exposed, earliest, score }: Label,
  lens: Lens,
  direction: WalkSettings['direction'],
): ReachedPerson {
  return {
    person: nameOf(graph, person),
    hop,
    exposedAt: lens.unixSeconds(exposed.at),
    earliestAt: lens.unixSeconds(earliest),
    score,
    path: pathTo(graph, exposed, direction),
  };
}

/** From the case outwards; a backward path runs from the possible source to the case. Either way in order of time. */
function pathTo(graph: ContactGraph, reached: Arrival, direction: WalkSettings['direction']): PathStep[] {
  const steps: PathStep[] = [];
  for (let arrival = reached; arrival.previous !== undefined; arrival = arrival.previous) {
    const contact = contactAt(graph, arrival);
    const { start, end, mutual, ledger } = contact;
    const [near, far] = [nameOf(graph, arrival.previous.person), nameOf(graph, arrival.person)];
    const [from, to] = direction === 'forward' ? [near, far] : [far, near];
    steps.push({ from, to, start, end, nearSeconds: nearSecondsOf(contact), mutual, ledger: [...ledger] });
  }
  return direction === 'forward' ? steps.reverse() : steps;
}

const nameOf = (graph: ContactGraph, person: number): string => String(graph.people[person]);
