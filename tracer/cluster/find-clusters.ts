/** Common sources of several cases, ranked, and the transmission tree that explains them best (clusters.md). */
import { AskerError } from '../asker-error.js';
import { presenceFromIn } from '../presence/presence-view.js';
import { requireBounds as requireTraceBounds } from '../looks/trace.js';
import { Turns } from '../turns.js';
import { backwardFrom, settingsOf, traceCases } from './case-traces.js';
import { MAX_CASES, MAX_SOURCES, MIN_CASES } from './cluster-result.js';
import type { ClusterCase, ClusterRequest, ClusterResult, ClusterSource, Trace } from './cluster-result.js';
import { Explained } from './explained.js';
import { weighGateways } from './gateway-sources.js';
import type { ClusterPresence } from './gateway-sources.js';
import { likelierFirst, logSumExp } from './model.js';
import { weighPeople } from './person-sources.js';
import type { Weighed } from './person-sources.js';
import { bestTree, TREE_SOURCES } from './tree.js';
import { unreachedIn } from './unreached.js';

const LISTED = 20;

/**
 * Throws `input` for a request out of bounds, what the trace throws, and the reason of the signal. Others have their turns on
 * this thread meanwhile. Without presence there are no gateways among the
 * sources. `list` is how many sources are listed, 20 by default and {@link MAX_SOURCES} at most; `sourceCount` is how many there
 * are.
 */
export async function findClusters(
  trace: Trace,
  presence: ClusterPresence | undefined,
  request: ClusterRequest,
  signal?: AbortSignal,
): Promise<ClusterResult> {
  requireBounds(request);
  const turns = new Turns(signal);
  const cases = await traceCases(trace, { ...request, cases: byTag(request.cases) }, turns);
  const known = { cases, explained: new Explained(cases) };
  const people = await weighPeople(trace, request, known, turns);
  const seen = request.gateways === false ? undefined : presence;
  const gateways = seen && (await weighGateways(seen, request, known, turns));
  const ranked = rank([...people.weighed, ...(gateways?.weighed ?? [])]);
  const hidden = ranked.flatMap((source) =>
    source.kind === 'person' && !source.isCase ? source.person : [],
  );
  return {
    ...request,
    sources: ranked
      .slice(0, Math.min(request.list ?? LISTED, MAX_SOURCES))
      .map((one) => asAsked(request, one)),
    sourceCount: people.count + (gateways?.count ?? 0),
    weighed: { people: people.weighed.length, ...(gateways && { gateways: gateways.weighed.length }) },
    ...(gateways !== undefined || request.presence ? presenceFromIn(presence?.view, request.from) : {}),
    ...unreachedIn(
      inOrder(request, cases, ({ tag }) => tag),
      request,
      seen,
    ),
    tree: await bestTree(cases, hidden.slice(0, TREE_SOURCES), settingsOf(request), turns),
  };
}

/** As cases are weighed: sums of the same terms in another order are not quite the same. */
const byTag = (cases: readonly ClusterCase[]): ClusterCase[] =>
  [...cases].sort((x, y) => Number(x.tag) - Number(y.tag));

/** As the cases are told: as they were asked. */
function inOrder<T>({ cases }: ClusterRequest, rows: readonly T[], caseOf: (row: T) => string): T[] {
  const places = new Map(cases.map(({ tag }, place) => [tag, place]));
  const placeOf = (row: T): number => places.get(caseOf(row)) ?? 0;
  return [...rows].sort((x, y) => placeOf(x) - placeOf(y));
}

const asAsked = <Source extends ClusterSource>(request: ClusterRequest, source: Source): Source => ({
  ...source,
  explains: inOrder<Source['explains'][number]>(request, source.explains, (row) => row.case),
});

/** Everybody named in the answer, by tag number: cases, sources, and all on the way. */
export function tagsInCluster({ cases, sources, tree }: ClusterResult): number[] {
  const steps = sources.flatMap((source) =>
    source.kind === 'person' ? source.explains.flatMap(({ path }) => path) : [],
  );
  const people = sources.flatMap((source) => (source.kind === 'person' ? [source.person] : []));
  const onTheWay = [...steps, ...tree.edges].flatMap(({ from, to }) => [from, to]);
  const tags = new Set([...cases.map(({ tag }) => tag), ...people, ...onTheWay, ...tree.roots]);
  return [...tags].map(Number).sort((x, y) => x - y);
}

function requireBounds(request: ClusterRequest): void {
  const { cases, incubationSeconds = 0, list = LISTED } = request;
  const require = (holds: boolean, problem: string): void => {
    if (!holds) throw new AskerError('input', problem);
  };
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  require(cases.length >= MIN_CASES &&
    cases.length <=
      MAX_CASES, `a cluster has ${MIN_CASES} to ${MAX_CASES} cases, and this one has ${cases.length}`);
  require(new Set(cases.map(({ tag }) => tag)).size === cases.length, 'a case stands twice among the cases');
  require(cases.every(({ onset = 0 }) => isCount(onset)), 'an onset is in whole unix seconds');
  require(isCount(incubationSeconds), 'the incubation is whole seconds, and not negative');
  require(isCount(list) && list >= 1, 'at least one source is to be listed');
  for (const { tag } of cases) requireTraceBounds(backwardFrom(request, tag, request.to));
}

function rank(weighed: readonly Weighed<ClusterSource>[]): ClusterSource[] {
  const all = logSumExp(weighed.map(({ logLikelihood }) => logLikelihood));
  return weighed
    .map(({ source, logLikelihood }) => ({ source, logLikelihood, name: nameOf(source) }))
    .sort(
      (x, y) =>
        likelierFirst(x.logLikelihood, y.logLikelihood) ||
        y.source.explains.length - x.source.explains.length ||
        y.source.kind.localeCompare(x.source.kind) ||
        x.name.length - y.name.length ||
        (x.name < y.name ? -1 : 1),
    )
    .map(({ source, logLikelihood }) => ({ ...source, score: Math.exp(logLikelihood - all) }));
}

const nameOf = (source: ClusterSource): string => (source.kind === 'person' ? source.person : source.gateway);
