/**
 * Traces by the letter of docs/tracing.md on a plain list of contacts: slow, and obviously right. Shares no code with
 * tracer/; each of the two directions is written out from its own paragraph, so that a wrong mirror would show.
 */
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import type { Contact } from '../../tracer/contact.js';
import type { TraceRequest, WalkRequest } from '../../tracer/looks/trace-result.js';

export interface ReferenceRow {
  readonly person: number;
  readonly hop: number;
  readonly exposedAt: number;
  readonly earliestAt: number;
  readonly score: number;
  /** The last step before this person, by the tie rules: attenuation, nearSeconds and who is on its other side. */
  readonly via: readonly [attenuationDb: number, nearSeconds: number, neighbour: number];
}

export interface ReferenceTrace {
  readonly reached: readonly ReferenceRow[];
  readonly sources?: readonly ReferenceRow[];
}

/** Somebody at a gateway. */
export interface ReferenceStay {
  readonly tag: number;
  readonly gateway: number;
  readonly start: number;
  readonly end: number;
}

export function referenceTrace(
  contacts: readonly Contact[],
  request: WalkRequest,
  stays: readonly ReferenceStay[] = [],
): ReferenceTrace {
  const close = closeContacts(contacts, request, stays);
  const indexCase = Number(request.case);
  if (request.direction === 'forward')
    return { reached: walk([indexCase], forwardRule(close, request), request) };
  const backward = walk([indexCase], backwardRule(close, request), request);
  if (request.direction === 'backward') return { reached: backward };
  const starts = [indexCase, ...backward.map(({ person }) => person)];
  return { reached: walk(starts, forwardRule(close, request), request), sources: backward };
}

const nearOf = (contact: Contact): number => contact.bucketSeconds[0] + contact.bucketSeconds[1];

/** What a trace walks over: contacts that qualify, and co-presences where they are asked for. */
export function closeContacts(
  contacts: readonly Contact[],
  request: Pick<TraceRequest, 'minSeconds' | 'attenuation' | 'presence'>,
  stays: readonly ReferenceStay[] = [],
): Contact[] {
  const together = request.presence === true ? copresences(stays, request.minSeconds) : [];
  return [...qualifying(contacts, request), ...together];
}

/** Contacts k whose pair has minSeconds, of the class asked and nearer, over its contacts with end in (end_k − 24 h, end_k]. */
function qualifying(
  contacts: readonly Contact[],
  { minSeconds, attenuation = 'near' }: Pick<TraceRequest, 'minSeconds' | 'attenuation'>,
): Contact[] {
  const ofPair = byPair(contacts);
  const secondsOf = ({ bucketSeconds: [immediate, near, medium] }: Contact): number =>
    ({ immediate, near: immediate + near, medium: immediate + near + medium })[attenuation];
  return contacts.filter((k) => {
    const ofSamePair = ofPair.get(`${k.a} ${k.b}`) ?? [];
    const inDay = ofSamePair.filter(({ end }) => end > k.end - 86_400 && end <= k.end);
    return inDay.reduce((sum, contact) => sum + secondsOf(contact), 0) >= minSeconds;
  });
}

/** Overlaps of stays of two people at one gateway: one-sided, weight 0.3, 127 dB, as contacts with medium seconds alone. */
function copresences(stays: readonly ReferenceStay[], minSeconds: number): Contact[] {
  return stays.flatMap((one) =>
    stays.flatMap((other) => {
      const [start, end] = [Math.max(one.start, other.start), Math.min(one.end, other.end)];
      if (one.tag >= other.tag || one.gateway !== other.gateway) return [];
      if (end < start || end - start < minSeconds) return [];
      return [
        {
          ...{ a: asTagNumber(one.tag), b: asTagNumber(other.tag), epoch: asEpoch(0), start, end },
          ...{ bucketSeconds: [0, 0, end - start, 0] as const, attenuationDb: 127 },
          ...{ mutual: false, partial: false, ledger: [] },
        },
      ];
    }),
  );
}

function byPair(contacts: readonly Contact[]): Map<string, Contact[]> {
  const groups = new Map<string, Contact[]>();
  for (const contact of contacts) {
    const pair = `${contact.a} ${contact.b}`;
    groups.set(pair, [...(groups.get(pair) ?? []), contact]);
  }
  return groups;
}

/** One way over a contact, and what it does. */
interface Way {
  readonly near: number;
  readonly far: number;
  readonly contact: Contact;
}

interface Rule {
  readonly ways: readonly Way[];
  /** Whether the contact is open at its near side, given one label of that person. */
  readonly isOpen: (contact: Contact, label: number, isStart: boolean) => boolean;
  /** What label it gives the far side. */
  readonly labelAfter: (contact: Contact) => number;
  readonly startLabel: number;
  /** The better of two labels. */
  readonly better: (x: number, y: number) => number;
}

const bothWays = (contacts: readonly Contact[]): Way[] =>
  contacts.flatMap((contact) => [
    { near: contact.a, far: contact.b, contact },
    { near: contact.b, far: contact.a, contact },
  ]);

/** "Forward trace": over contacts with end ≤ to; start ≥ Ready; with an infectious period start ≤ Ready + infectious. */
function forwardRule(close: readonly Contact[], request: TraceRequest): Rule {
  const { from, to, latentSeconds, infectiousSeconds } = request;
  return {
    ways: bothWays(close.filter(({ end }) => end <= to)),
    isOpen: ({ start }, label, isStart) => {
      const ready = isStart ? from : label + latentSeconds;
      return start >= ready && (infectiousSeconds === undefined || start <= ready + infectiousSeconds);
    },
    labelAfter: ({ end }) => end,
    startLabel: from,
    better: Math.min,
  };
}

/** "Backward trace": contacts with start ≥ from; end ≤ Due; with an infectious period end ≥ Due − infectious, but for starts without end (clusters.md). */
function backwardRule(close: readonly Contact[], request: WalkRequest): Rule {
  const { from, to, latentSeconds, infectiousSeconds, endlessStarts } = request;
  return {
    ways: bothWays(close.filter(({ start }) => start >= from)),
    isOpen: ({ end }, label, isStart) => {
      const due = isStart ? to : label - latentSeconds;
      if (isStart && endlessStarts) return end <= due;
      return end <= due && (infectiousSeconds === undefined || end >= due - infectiousSeconds);
    },
    labelAfter: ({ start }) => start,
    startLabel: to,
    better: Math.max,
  };
}

/** Everybody's labels after each round; without an infectious period one label a person, the best. */
type Labels = ReadonlyMap<number, readonly number[]>;

function walk(
  starts: readonly number[],
  rule: Rule,
  { hops, infectiousSeconds }: TraceRequest,
): ReferenceRow[] {
  const isStart = (person: number): boolean => starts.includes(person);
  const rows = new Map<number, ReferenceRow>();
  let labels: Labels = new Map(starts.map((person) => [person, [rule.startLabel]]));
  const bestOf = (ofPerson: readonly number[]): number => ofPerson.reduce((x, y) => rule.better(x, y));
  for (let hop = 1; hop <= hops; hop += 1) {
    const before = labels;
    const open = rule.ways.filter(
      ({ near, far, contact }) =>
        !isStart(far) && (before.get(near) ?? []).some((label) => rule.isOpen(contact, label, isStart(near))),
    );
    const after = new Map(before);
    for (const { far, contact } of open) {
      const all = new Set([...(after.get(far) ?? []), rule.labelAfter(contact)]);
      after.set(far, infectiousSeconds === undefined ? [bestOf([...all])] : [...all]);
    }
    for (const [person, ofPerson] of after) {
      if (before.has(person)) continue;
      const exposedAt = bestOf(ofPerson);
      const waysHere = open.filter(({ far }) => far === person);
      const via = bestWay(waysHere.filter(({ contact }) => rule.labelAfter(contact) === exposedAt));
      rows.set(person, {
        person,
        hop,
        exposedAt,
        earliestAt: exposedAt,
        score: scoreOf(waysHere, rows, hop),
        via,
      });
    }
    labels = after;
  }
  const final = [...rows.values()].map((row) => ({
    ...row,
    earliestAt: bestOf(labels.get(row.person) ?? []),
  }));
  return final.sort((x, y) => x.hop - y.hop || x.exposedAt - y.exposedAt || x.person - y.person);
}

/** 1 − Π (1 − score(u)·p(k)) over the open contacts from people of earlier hops. */
function scoreOf(open: readonly Way[], rows: ReadonlyMap<number, ReferenceRow>, hop: number): number {
  const earlier = open.filter(({ near }) => (rows.get(near)?.hop ?? 0) < hop);
  return (
    1 -
    earlier.reduce(
      (product, way) => product * (1 - (rows.get(way.near)?.score ?? 1) * chance(way.contact)),
      1,
    )
  );
}

/** p(contact) = 1 − exp(−W/θ), θ = 90 min, weights 1.0, 0.8, 0.3, 0; W is halved for a one-sided contact. */
function chance({ bucketSeconds: [immediate, near, medium], mutual }: Contact): number {
  const minutes = (1.0 * immediate + 0.8 * near + 0.3 * medium) / 60;
  return 1 - Math.exp(-(mutual ? minutes : minutes / 2) / 90);
}

/** "Equal arrivals: lower attenuation, longer nearSeconds, lower tag number of the infector." */
function bestWay(ways: readonly Way[]): readonly [number, number, number] {
  const keys = ways.map(({ near, contact }) => [contact.attenuationDb, nearOf(contact), near] as const);
  const [best] = keys.sort((x, y) => x[0] - y[0] || y[1] - x[1] || x[2] - y[2]);
  if (best === undefined) throw new Error('nobody is reached by no way');
  return best;
}
