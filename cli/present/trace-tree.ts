/** A trace as a person reads it: a tree from the case outwards in the order of tracing.md, or a list by score, with its evidence. */
import pc from 'picocolors';
import type { ReachedPerson, TraceResult } from '../../tracer/looks/trace-result.js';
import type { AttenuationClass } from '../../tracer/walk/lens.js';
import { duration, localTime, localZone } from '../terminal/times.js';
import { count, counted } from './counts.js';
import { missingReportsLines } from './missing-reports.js';
import { nothingKnown } from './nothing-known.js';
import { byScore, describe, describeAlone, rowOf } from './trace-rows.js';
import type { ListOrder, Row, Way } from './trace-rows.js';

/** Rows beyond this are left to --json and --csv; a screen is not the place for thousands. */
const MAX_ROWS = 120;

export function traceTree(trace: TraceResult, order: ListOrder = 'hop'): string {
  const lacks = missingReportsLines(trace.missingReports);
  if (trace.known !== undefined)
    return [pc.yellow(nothingKnown(trace.known, trace.presence)), ...lacks, pc.dim(windowOf(trace))].join(
      '\n',
    );
  const lines = [heading(trace), ...lacks, `${pc.dim(terms(trace))}`, ''];
  const { case: root, reached, sources, ...counts } = order === 'score' ? byScore(trace) : trace;
  if (sources) {
    const all = counts.sourceCount ?? sources.length;
    lines.push(
      pc.bold('Possible sources'),
      ...section(root, { people: sources, all, way: 'backward', order }),
      '',
    );
    lines.push(pc.bold('May have been infected, by them or by the case'));
  }
  const way = trace.direction === 'backward' ? 'backward' : 'forward';
  lines.push(...section(root, { people: reached, all: counts.reachedCount, way, order }));
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
  const { direction, minSeconds, latentSeconds, infectiousSeconds, attenuation = 'near' } = trace;
  const { presence, presenceFrom } = trace;
  const infectious = infectiousSeconds === undefined ? '' : `, for ${duration(infectiousSeconds)}`;
  return [
    windowOf(trace),
    `close contact: ${duration(minSeconds)} ${attenuation} within 24 h, encounters of the two together; a line shows ${WHICH_ENCOUNTER[direction]}`,
    ...(presence === true ? [`or ${duration(minSeconds)} at one gateway at one time`] : []),
    ...(presenceFrom === undefined
      ? []
      : [`who was at a gateway is known from ${localTime(presenceFrom)} on only`]),
    `people pass it on from ${duration(latentSeconds)} after exposure${infectious}`,
    ...columnTerms(direction, attenuation),
  ].join('\n');
}

/** Backward the latest is taken, since it leaves most time for what came before (tracing.md). */
const WHICH_ENCOUNTER = {
  forward: 'the one that completed it',
  backward: 'the last that counts',
  both: 'the last that counts of a possible source, of others the one that completed it',
} as const;

const windowOf = ({ from, to }: TraceResult): string =>
  `${localTime(from)} to ${localTime(to, true)}; times in ${localZone()}`;

function columnTerms(direction: TraceResult['direction'], attenuation: AttenuationClass): string[] {
  return [
    ...(direction === 'forward'
      ? []
      : [
          'last exposure: the latest encounter by which this person can have infected the next one; earlier ones may count too',
        ]),
    ...(attenuation === 'near' ? [] : ['near: immediate and near seconds, whatever class was asked for']),
    'score: 0 to 1, higher the longer and the nearer, over all ways that lead there',
  ];
}

interface Listed {
  readonly people: readonly ReachedPerson[];
  /** Listed or not. */
  readonly all: number;
  readonly way: Way;
  readonly order: ListOrder;
}

function section(root: string, { people, all, way, order }: Listed): string[] {
  const shown = people.slice(0, MAX_ROWS).map((person) => rowOf(person, way));
  const lines =
    order === 'hop'
      ? treeLines(root, shown, way)
      : [`${pc.bold(root)}  index case`, ...shown.map((row) => `  ${describeAlone(row, way)}`)];
  if (people.length > shown.length)
    lines.push(
      pc.dim(`… and ${count(people.length - shown.length)} more: --json FILE or --csv FILE has them`),
    );
  if (all > people.length) lines.push(pc.dim(unlisted(people.length, all, order)));
  return all === 0 ? [...lines, pc.dim('nobody')] : lines;
}

function unlisted(listed: number, all: number, order: ListOrder): string {
  const which = `these are the first ${count(listed)} by hop, then time of exposure${order === 'score' ? ', sorted by score' : ''}`;
  return `${count(all - listed)} more counted and not listed: ${which}; --list N lists more`;
}

function treeLines(root: string, shown: readonly Row[], way: Way): string[] {
  const children = new Map<string, Row[]>();
  for (const row of shown) children.set(row.parent, [...(children.get(row.parent) ?? []), row]);
  // rows come by hop, so that whoever has no row before those they infected is where a walk began: the case, or a source
  const named = new Set([root, ...shown.map((row) => row.person.person)]);
  const roots = [...children.keys()].filter((parent) => !named.has(parent));
  const lines = [`${pc.bold(root)}  index case`, ...branches(root, children, '', way)];
  for (const other of roots)
    lines.push(`${pc.bold(other)}  possible source`, ...branches(other, children, '', way));
  return lines;
}

function branches(parent: string, children: Map<string, Row[]>, indent: string, way: Way): string[] {
  const rows = children.get(parent) ?? [];
  children.delete(parent);
  return rows.flatMap((row, index) => {
    const last = index === rows.length - 1;
    return [
      `${pc.dim(indent + (last ? '└─ ' : '├─ '))}${describe(row, way)}`,
      ...branches(row.person.person, children, indent + (last ? '   ' : '│  '), way),
    ];
  });
}
