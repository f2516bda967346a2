/** What several cases have in common, as a person reads it: sources in order with their reasons, then a tree of who infected whom. */
import pc from 'picocolors';
import { plain } from '../../protocol/plain-text.js';
import type {
  ClusterResult,
  ClusterSource,
  GatewaySource,
  PersonSource,
  TransmissionTree,
} from '../../tracer/cluster/cluster-result.js';
import type { PathStep } from '../../tracer/looks/trace-result.js';
import type { Window } from '../../tracer/looks/window.js';
import type { GatewayNames } from '../orders/gateway-names.js';
import { duration, localSpan, localTime, localZone } from '../terminal/times.js';
import { count, counted } from './counts.js';
import { missingReportsLines } from './missing-reports.js';
import { nothingKnown } from './nothing-known.js';
import { scoreWords } from './score.js';
import { writeAnswer } from './show-trace.js';

/** Steps of one source beyond this are left to --json. */
const MAX_REASONS = 8;
const WHAT_A_SCORE_SAYS =
  'A score is a share among those weighed: 1.00 says that nothing else explains more, not that this explains the cases well.';

/** On the screen first: a file that cannot be written takes the answer from nobody. Throws `input`. */
export async function showCluster(
  cluster: ClusterResult,
  { json, gateways }: { readonly json: string | undefined; readonly gateways: GatewayNames },
): Promise<void> {
  console.log(clusterText(cluster, gateways));
  if (json !== undefined) await writeAnswer(json, `${JSON.stringify(cluster, undefined, 2)}\n`);
}

/** `gateways`: the names that are at hand. */
export function clusterText(cluster: ClusterResult, gateways: GatewayNames = new Map()): string {
  const { sources, tree } = cluster;
  if (cluster.known !== undefined) return nothingKnownText(cluster, cluster.known);
  return [
    ...heading(cluster),
    '',
    pc.bold('Possible common sources, the most likely first'),
    ...(sources.length === 0 ? [pc.dim(nothingInReach(cluster))] : []),
    ...sources.flatMap((source, place) => sourceLines(source, place + 1, { cluster, gateways })),
    ...furtherLines(cluster),
    '',
    pc.bold('Who may have infected whom: the tree that explains the cases best'),
    ...treeLines(tree, cluster),
    '',
    ...(sources.length === 0 ? [] : [pc.dim(WHAT_A_SCORE_SAYS)]),
    pc.dim(
      'This ranks the work of a health officer. It is no diagnosis, and no proof that anybody infected anybody.',
    ),
  ].join('\n');
}

/** That no walk leads to a case says nothing of it then; that it is in no contact does. */
function nothingKnownText(cluster: ClusterResult, known: Window): string {
  const { unknown, onlySeen, missingReports, gateways } = cluster;
  const inNoContact = { ...cluster, unreached: [...unknown, ...onlySeen], beforeWindow: [] };
  return [
    pc.yellow(nothingKnown(known, gateways !== false)),
    ...missingReportsLines(missingReports),
    pc.dim(windowOf(cluster)),
    ...unreachedLines(inNoContact),
  ].join('\n');
}

const nothingInReach = ({ weighed }: ClusterResult): string =>
  `${weighed.gateways === undefined ? 'nobody' : 'nobody, and no gateway,'} was in reach of two of the cases`;

/** Whoever was not weighed may be as likely as anybody listed. */
function furtherLines({ sources, sourceCount, weighed }: ClusterResult): string[] {
  const inFull = weighed.people + (weighed.gateways ?? 0);
  const [unlisted, unweighed] = [inFull - sources.length, sourceCount - inFull];
  const further = [
    ...(unlisted > 0 ? [`${count(unlisted)} more, weighed and not more likely`] : []),
    ...(unweighed > 0 ? [`${count(unweighed)} more, not weighed in full, which may be more likely`] : []),
  ];
  return further.length === 0 ? [] : [pc.dim(`… and ${further.join('; ')}`)];
}

function heading(cluster: ClusterResult): string[] {
  const { cases, presenceFrom, missingReports, ...request } = cluster;
  const { hops, minSeconds, latentSeconds, infectiousSeconds, incubationSeconds = 0 } = request;
  const infectious = infectiousSeconds === undefined ? '' : `, for ${duration(infectiousSeconds)}`;
  const incubation =
    incubationSeconds === 0 ? '' : `; they fall ill ${duration(incubationSeconds)} after it at the earliest`;
  const whichEncounter =
    infectiousSeconds === undefined
      ? 'the last that counts'
      : 'the last that counts, or one in the infectious period of the source';
  const withOnset = cases.filter(({ onset }) => onset !== undefined).length;
  return [
    pc.bold(
      `${cases.length} cases, ${withOnset === 0 ? 'none' : withOnset} of them with an onset, and who reaches them within ${counted(hops, 'hop')}`,
    ),
    ...missingReportsLines(missingReports),
    pc.dim(windowOf(cluster)),
    pc.dim(
      `close contact: ${duration(minSeconds)} near within 24 h, encounters of the two together; a line shows ${whichEncounter}`,
    ),
    pc.dim(`people pass it on from ${duration(latentSeconds)} after exposure${infectious}${incubation}`),
    ...(presenceFrom === undefined
      ? []
      : [pc.dim(`who was at a gateway is known from ${localTime(presenceFrom)} on only`)]),
    ...unreachedLines(cluster),
  ];
}

const windowOf = ({ from, to }: ClusterResult): string =>
  `${localTime(from)} to ${localTime(to, true)}; times in ${localZone()}`;

function unreachedLines(cluster: ClusterResult): string[] {
  const { unreached, unknown, onlySeen, beforeWindow, weighed } = cluster;
  const others = new Set([...unknown, ...onlySeen, ...beforeWindow]);
  const met = unreached.filter((tag) => !others.has(tag));
  const [nobody, unseen] =
    weighed.gateways === undefined ? ['nobody', ''] : ['no person', ', and no gateway saw it'];
  const them = onlySeen.length === 1 ? 'it' : 'them';
  return [
    ...(met.length > 0 ? [`${nobody} can have infected ${met.join(', ')} by what was recorded`] : []),
    ...(onlySeen.length > 0 ? [`${onlySeen.join(', ')} met nobody; gateways saw ${them}`] : []),
    ...beforeWindow.map((tag) => pc.yellow(tooEarly(tag, cluster))),
    ...unknown.map((tag) => pc.yellow(`${tag} is in no contact at all${unseen}: is the number right?`)),
  ];
}

function tooEarly(tag: string, { cases, incubationSeconds = 0 }: ClusterResult): string {
  const due = (cases.find((one) => one.tag === tag)?.onset ?? 0) - incubationSeconds;
  const why = incubationSeconds === 0 ? 'its onset' : 'its onset, less the incubation';
  return `${tag} was infected by ${localTime(due)} (${why}), before the window begins: nothing of that time was looked at; is the onset right?`;
}

/** A case that fell ill first of all is a likely source by that alone: whoever reads its rank knows what it rests on. */
const DOUBTED = 'rests on an onset before the window: see above';

interface Shown {
  readonly cluster: ClusterResult;
  readonly gateways: GatewayNames;
}

function sourceLines(source: ClusterSource, place: number, { cluster, gateways }: Shown): string[] {
  const { cases, beforeWindow } = cluster;
  const name = source.kind === 'person' ? source.person : gatewayWords(source.gateway, gateways);
  const what = source.kind === 'person' && source.isCase ? 'itself a case, ' : '';
  const score = `score ${scoreWords(source.score)}`;
  const explains = `${what}explains ${source.explains.length} of ${cases.length - (what === '' ? 0 : 1)}${what === '' ? '' : ' others'}`;
  const reasons = source.kind === 'person' ? personReasons(source) : gatewayReasons(source);
  const hidden = reasons.length - MAX_REASONS;
  const isDoubted = source.kind === 'person' && beforeWindow.includes(source.person);
  return [
    `${String(place).padStart(2)}. ${pc.bold(name)}  ${score}  ${explains}${pc.dim(`  ${others(source)}`)}`,
    ...(isDoubted ? [pc.yellow(`      this ${DOUBTED}`)] : []),
    ...reasons.slice(0, MAX_REASONS).map((reason) => pc.dim(`      ${reason}`)),
    ...(hidden > 0 ? [pc.dim(`      … and ${hidden} more: --json FILE has them all`)] : []),
  ];
}

function gatewayWords(id: string, gateways: GatewayNames): string {
  const name = gateways.get(id);
  return name === undefined ? `gateway ${id}` : `gateway ${plain(name)} (${id.slice(0, 8)}…)`;
}

function others({ othersReached, othersExpected }: ClusterSource): string {
  if (othersReached === 0) return 'and would have reached nobody else';
  const people = othersReached === 1 ? 'person who is' : 'people who are';
  return `but would have reached ${count(othersReached)} other ${people} no case (infected, on average: ${othersExpected.toFixed(1)})`;
}

function personReasons({ explains }: PersonSource): string[] {
  return explains.map(({ case: tag, hop, path }) => {
    const [first] = path;
    const via = path.slice(1).map(({ from }) => from);
    const way = hop === 1 ? 'directly' : `through ${via.join(', ')}`;
    return `${tag} ${way}${first ? `: near ${first.to} for ${reason(first)}` : ''}`;
  });
}

function gatewayReasons({ explains }: GatewaySource): string[] {
  return explains.map(
    ({ case: tag, start, end, seconds }) =>
      `${tag} stayed there for ${duration(seconds)}, ${localSpan(start, end)}`,
  );
}

function reason({ nearSeconds, start, end, mutual, ledger }: PathStep): string {
  const sides = mutual ? 'seen by both' : 'seen by one';
  return `${duration(nearSeconds)}, ${localSpan(start, end)}, ${sides}, ledger ${ledger.join(' ')}`;
}

function treeLines({ roots, edges }: TransmissionTree, cluster: ClusterResult): string[] {
  const { cases, beforeWindow, unknown, onlySeen } = cluster;
  const children = new Map<string, PathStep[]>();
  for (const edge of edges) children.set(edge.from, [...(children.get(edge.from) ?? []), edge]);
  const onset = new Map(cases.map((one) => [one.tag, one.onset]));
  return roots.flatMap((root) => {
    const role = onset.has(root) ? caseWords(onset.get(root)) : 'presumed source, no case';
    const isInNoContact = unknown.includes(root) || onlySeen.includes(root);
    const why = isInNoContact
      ? 'not placed: in no contact'
      : 'no recorded contact explains it, or it is the source';
    const unexplained = onset.has(root) ? `; ${why}` : '';
    const doubt = beforeWindow.includes(root) ? pc.yellow(`; its place ${DOUBTED}`) : '';
    return [`${pc.bold(root)}  ${role}${unexplained}${doubt}`, ...branches(root, { children, onset }, '')];
  });
}

interface Foliage {
  readonly children: ReadonlyMap<string, readonly PathStep[]>;
  readonly onset: ReadonlyMap<string, number | undefined>;
}

function branches(parent: string, foliage: Foliage, indent: string): string[] {
  const steps = foliage.children.get(parent) ?? [];
  return steps.flatMap((step, index) => {
    const isLast = index === steps.length - 1;
    const { onset } = foliage;
    const role = onset.has(step.to) ? caseWords(onset.get(step.to)) : 'no case';
    return [
      `${pc.dim(indent + (isLast ? '└─ ' : '├─ '))}${pc.bold(step.to.padEnd(6))}  ${role}  ${pc.dim(reason(step))}`,
      ...branches(step.to, foliage, indent + (isLast ? '   ' : '│  ')),
    ];
  });
}

const caseWords = (onset: number | undefined): string =>
  onset === undefined ? 'case' : `case, ill from ${localTime(onset)}`;
