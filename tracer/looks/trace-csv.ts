/** A trace as rows of comma-separated values (RFC 4180): one per person reached. */
import type { ReachedPerson, TraceResult } from './trace-result.js';

const COLUMNS = [
  'list',
  'person',
  'hop',
  'exposed_at',
  'earliest_at',
  'score',
  'source',
  'via',
  'contact_start',
  'contact_end',
  'near_seconds',
  'mutual',
  'ledger_entries',
  'gateway',
] as const;

/**
 * Times are ISO 8601 in UTC. `list` is "reached", or "source" for possible sources. Of these `exposed_at` is when
 * the latest contact began by which they can have infected `via`, within so many hops, and `earliest_at` the same
 * within all hops that were asked: the later one (tracing.md).
 * `gateway` is where the two were together, of a row that rests on presence: that has no near seconds and no
 * ledger entries.
 */
export function traceCsv(trace: TraceResult): string {
  const backward = trace.direction === 'backward';
  const rows = [
    ...(trace.sources ?? []).map((person) => rowOf('source', person, true)),
    ...trace.reached.map((person) => rowOf(backward ? 'source' : 'reached', person, backward)),
  ];
  return [COLUMNS.join(','), ...rows.map((row) => row.map(quoted).join(',')), ''].join('\r\n');
}

function rowOf(list: string, reached: ReachedPerson, backward: boolean): string[] {
  const step = backward ? reached.path[0] : reached.path.at(-1);
  return [
    list,
    reached.person,
    String(reached.hop),
    isoTime(reached.exposedAt),
    isoTime(reached.earliestAt),
    reached.score.toFixed(4),
    reached.source ?? '',
    (backward ? step?.to : step?.from) ?? '',
    step ? isoTime(step.start) : '',
    step ? isoTime(step.end) : '',
    step ? String(step.nearSeconds) : '',
    step ? String(step.mutual) : '',
    step ? step.ledger.join(' ') : '',
    step?.gateway ?? '',
  ];
}

const isoTime = (unixSeconds: number): string =>
  new Date(unixSeconds * 1000).toISOString().replace('.000Z', 'Z');
const quoted = (value: string): string =>
  /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
