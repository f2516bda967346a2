/** A trace as a person reads it: a tree from the case outwards, in the order of tracing.md, with its evidence. */
import pc from 'picocolors';
import type { PathStep, ReachedPerson, TraceResult } from '../../tracer/looks/trace-result.js';
import type { AttenuationClass } from '../../tracer/walk/lens.js';
import { duration, localSpan, localTime, localZone } from '../terminal/times.js';
import { count, counted } from './counts.js';
import { missingReportsLines } from './missing-reports.js';

/** Rows beyond this are left to --json and --csv; a screen is not the place for thousands. */
const MAX_ROWS = 120;

export function traceTree(trace: TraceResult): string {
  const lacks = missingReportsLines(trace.missingReports);
  const lines = [heading(trace), ...lacks, `${pc.dim(terms(trace))}`, ''];
  if (trace.sources) {
    const all = trace.sourceCount ?? trace.sources.length;
    lines.push(pc.bold('Possible sources'), ...section(trace.case, trace.sources, all, 'backward'), '');
    lines.push(pc.bold('May have been infected, by them or by the case'));
  }
  const way = trace.direction === 'backward' ? 'backward' : 'forward';
  lines.push(...section(trace.case, trace.reached, trace.reachedCount, way));
  lines.push('', pc.dim('The score ranks the work of a health officer; it is no diagnosis.'));
  return lines.join('\n');
}

function heading({ reachedCount, sourceCount, direction, hops, ...trace }: TraceResult): string {
  const what = {
    forward: `${people(reachedCount)} may have been infected by ${trace.case}`,
    backward: `${people(reachedCount)} may be the source of ${trace.case}`,
    both: `${people(sourceCount ?? 0)} may be the source of ${trace.case}; ${people(reachedCount)} may have been infected by them or by the case`,
  }[direction];
  return pc.bold(`${what}, within ${counted(hops, 'hop')}`);
}

const people = (all: number): string => counted(all, 'person', 'people');

function terms(trace: TraceResult): string {
  const { from, to, minSeconds, latentSeconds, infectiousSeconds, attenuation = 'near', presence } = trace;
  const { presenceFrom } = trace;
  const infectious = infectiousSeconds === undefined ? '' : `, for ${duration(infectiousSeconds)}`;
  return [
    `${localTime(from)} to ${localTime(to, true)}; times in ${localZone()}`,
    `close contact: ${duration(minSeconds)} ${attenuation} within 24 h, encounters of the two together; a line shows the one that completed it`,
    ...(presence === true ? [`or ${duration(minSeconds)} at one gateway at one time`] : []),
    ...(presenceFrom === undefined
      ? []
      : [`who was at a gateway is known from ${localTime(presenceFrom)} on only`]),
    `people pass it on from ${duration(latentSeconds)} after exposure${infectious}`,
    ...columnTerms(trace.direction, attenuation),
  ].join('\n');
}

function columnTerms(direction: TraceResult['direction'], attenuation: AttenuationClass): string[] {
  return [
    ...(direction === 'forward'
      ? []
      : ['exposing from: may have infected the next person on the way from then on']),
    ...(attenuation === 'near' ? [] : ['near: immediate and near seconds, whatever class was asked for']),
    'score: 0 to 1, higher the longer and the nearer, over all ways that lead there',
  ];
}

interface Row {
  readonly person: ReachedPerson;
  readonly parent: string;
  readonly step: PathStep | undefined;
}

function section(
  root: string,
  people: readonly ReachedPerson[],
  all: number,
  direction: 'forward' | 'backward',
): string[] {
  const shown = people.slice(0, MAX_ROWS).map((person) => rowOf(person, direction));
  const children = new Map<string, Row[]>();
  for (const row of shown) children.set(row.parent, [...(children.get(row.parent) ?? []), row]);
  // rows come by hop, so that whoever has no row before those they infected is where a walk began: the case, or a source
  const named = new Set([root, ...shown.map((row) => row.person.person)]);
  const roots = [...children.keys()].filter((parent) => !named.has(parent));
  const lines = [`${pc.bold(root)}  index case`, ...branches(root, children, '', direction)];
  for (const other of roots)
    lines.push(`${pc.bold(other)}  possible source`, ...branches(other, children, '', direction));
  if (people.length > shown.length)
    lines.push(
      pc.dim(`… and ${count(people.length - shown.length)} more: --json FILE or --csv FILE has them`),
    );
  if (all > people.length)
    lines.push(pc.dim(`${count(all - people.length)} more counted and not listed: --list N lists more`));
  return all === 0 ? [...lines, pc.dim('nobody')] : lines;
}

function rowOf(person: ReachedPerson, direction: 'forward' | 'backward'): Row {
  const step = direction === 'forward' ? person.path.at(-1) : person.path[0];
  return { person, step, parent: (direction === 'forward' ? step?.from : step?.to) ?? '' };
}

function branches(
  parent: string,
  children: Map<string, Row[]>,
  indent: string,
  direction: 'forward' | 'backward',
): string[] {
  const rows = children.get(parent) ?? [];
  children.delete(parent);
  return rows.flatMap((row, index) => {
    const last = index === rows.length - 1;
    return [
      `${pc.dim(indent + (last ? '└─ ' : '├─ '))}${describe(row, direction)}`,
      ...branches(row.person.person, children, indent + (last ? '   ' : '│  '), direction),
    ];
  });
}

function describe({ person, step }: Row, direction: 'forward' | 'backward'): string {
  const when = direction === 'forward' ? 'exposed' : 'exposing from';
  const parts = [
    pc.bold(person.person.padEnd(6)),
    `hop ${person.hop}`,
    `${when} ${localTime(person.exposedAt)}`,
    `score ${person.score.toFixed(2)}`,
  ];
  if (person.earliestAt !== person.exposedAt) {
    parts.push(`${direction === 'forward' ? 'earliest' : 'latest'} ${localTime(person.earliestAt)}`);
  }
  if (step) parts.push(pc.dim(evidence(step)));
  return parts.join('  ');
}

function evidence(step: PathStep): string {
  if (step.gateway !== undefined)
    return `at gateway ${step.gateway.slice(0, 8)} together, ${localSpan(step.start, step.end)}`;
  const sides = step.mutual ? 'seen by both' : 'seen by one';
  return `${duration(step.nearSeconds)} near, ${localSpan(step.start, step.end)}, ${sides}${ledgerOf(step)}`;
}

/** A synthetic city has no ledger. */
const ledgerOf = ({ ledger }: PathStep): string =>
  ledger.length === 0 ? '' : `, ledger ${ledger.join(' ')}`;
