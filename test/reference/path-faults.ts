/** What is wrong with a path, in words; nothing for one that holds (docs/tracing.md, "Explanation"). */
import type { Contact } from '../../tracer/contact.js';
import type { PathStep, ReachedPerson, WalkRequest } from '../../tracer/looks/trace-result.js';

/** `close`: what the trace may walk over. */
export function pathFaults(
  close: readonly Contact[],
  request: WalkRequest,
  row: ReachedPerson,
  direction: 'forward' | 'backward',
): string[] {
  const { path, hop } = row;
  const steps = direction === 'forward' ? path : [...path].reverse();
  const origin = row.source ?? request.case;
  const [nearEnd, farEnd] = direction === 'forward' ? (['from', 'to'] as const) : (['to', 'from'] as const);
  const lastLabel = direction === 'forward' ? steps.at(-1)?.end : steps.at(-1)?.start;
  return [
    ...(path.length === hop ? [] : [`${path.length} steps for hop ${hop}`]),
    ...(steps[0]?.[nearEnd] === origin ? [] : ['does not begin at its origin']),
    ...(steps.at(-1)?.[farEnd] === row.person ? [] : ['does not end at the person']),
    ...(lastLabel === row.exposedAt ? [] : ['does not end at exposedAt']),
    ...steps.flatMap((step, place) => {
      const before = steps[place - 1];
      return [
        ...(before === undefined || before[farEnd] === step[nearEnd]
          ? []
          : [`step ${place} begins elsewhere`]),
        ...(contactOf(step, close) ? [] : [`step ${place} is no close contact`]),
        ...(isInTime(step, before, request, direction) ? [] : [`step ${place} is out of time`]),
      ];
    }),
  ];
}

export function contactOf(step: PathStep, contacts: readonly Contact[]): Contact | undefined {
  const [a, b] = [Number(step.from), Number(step.to)].sort((x, y) => x - y);
  return contacts.find(
    (contact) =>
      contact.a === a &&
      contact.b === b &&
      contact.start === step.start &&
      contact.end === step.end &&
      contact.mutual === step.mutual &&
      contact.bucketSeconds[0] + contact.bucketSeconds[1] === step.nearSeconds &&
      contact.ledger.join() === step.ledger.join(),
  );
}

function isInTime(
  step: PathStep,
  before: PathStep | undefined,
  { from, to, latentSeconds, infectiousSeconds = Infinity, endlessStarts }: WalkRequest,
  direction: 'forward' | 'backward',
): boolean {
  if (step.start < from || step.end > to) return false;
  if (direction === 'forward') {
    const ready = before === undefined ? from : before.end + latentSeconds;
    return step.start >= ready && step.start <= ready + infectiousSeconds;
  }
  const due = before === undefined ? to : before.start - latentSeconds;
  const isEndless = before === undefined && endlessStarts === true;
  return step.end <= due && (isEndless || step.end >= due - infectiousSeconds);
}
