/** The walks of a trace: one, or for both ways one backward and one forward from everybody it reached (tracing.md). */
import { AskerError } from '../asker-error.js';
import { hasContacts } from '../contacts/pair-contacts.js';
import { personOf } from '../contacts/people.js';
import type { People } from '../contacts/people.js';
import type { ContactView } from '../contacts/view.js';
import { inNoContact } from '../looks/nobody-found.js';
import type { TraceRequest, WalkRequest } from '../looks/trace-result.js';
import type { WalkSettings } from './lens.js';
import type { PresenceView } from '../presence/presence-view.js';
import { walk } from './walk.js';
import type { WalkOptions } from './walk.js';
import type { WalkResult } from './walk-result.js';
import type { WalkWorkspace } from './workspace.js';

/** Where the request does not say. */
export const DEFAULT_LIST = 10_000;

export interface TraceWalks {
  readonly reached: WalkResult;
  /** Both ways: the backward walk. */
  readonly sources?: WalkResult;
  /** {@link tagsReached}, where a thread put them in order already. */
  readonly tags?: Float64Array;
}

export interface TraceWalkOptions extends Omit<WalkOptions, 'list'> {
  /** Who was where; needed for a request with presence. */
  readonly presence?: PresenceView | undefined;
}

/**
 * Of a request whose bounds were checked ({@link requireBounds}). Throws `not-found` for a case that is in no contact,
 * `input` for presence or a class of attenuation that cannot be had here, and what {@link walk} throws.
 */
export function walkTrace(
  view: ContactView,
  request: WalkRequest,
  space: WalkWorkspace,
  options: TraceWalkOptions = {},
): TraceWalks {
  const presence = presenceFor(request, options);
  const indexCase = personOf(view.people, Number(request.case));
  if (indexCase === undefined || !(hasContacts(view, indexCase) || isSeen(presence, indexCase)))
    throw inNoContact(`case ${request.case}`);
  const list = request.list ?? DEFAULT_LIST;
  const go = (direction: WalkSettings['direction'], starts: Uint32Array): WalkResult =>
    walk(view, starts, settingsOf(request, direction, presence), space, { ...options, list });
  const alone = Uint32Array.of(indexCase);
  if (request.direction !== 'both') return { reached: go(request.direction, alone) };
  const sources = go('backward', alone);
  const starts = new Uint32Array(1 + sources.everyone.length);
  starts[0] = indexCase;
  starts.set(sources.everyone, 1);
  return { reached: go('forward', starts), sources };
}

/** All tags that a trace reached or names as sources, listed or not, ascending: what the record of a look holds. */
export function tagsReached({ tags }: People, { reached, sources, tags: known }: TraceWalks): Float64Array {
  if (known !== undefined) return known;
  const found = new Float64Array(reached.everyone.length + (sources?.everyone.length ?? 0));
  reached.everyone.forEach((person, k) => (found[k] = tags[person]!));
  sources?.everyone.forEach((person, k) => (found[reached.everyone.length + k] = tags[person]!));
  return found.sort();
}

function presenceFor(request: TraceRequest, { presence }: TraceWalkOptions): PresenceView | undefined {
  if (request.presence !== true) return undefined;
  if (presence !== undefined) return presence;
  throw new AskerError('input', 'presence at gateways is not to be had here: ask without it');
}

function settingsOf(
  request: WalkRequest,
  direction: WalkSettings['direction'],
  presence: PresenceView | undefined,
): WalkSettings {
  const { hops, from, to, minSeconds, latentSeconds, infectiousSeconds, attenuation = 'near' } = request;
  const { endlessStarts } = request;
  const times = { from, to, minSeconds, latentSeconds, infectiousSeconds, endlessStarts };
  return { direction, hops, ...times, attenuation, presence };
}

const isSeen = (presence: PresenceView | undefined, person: number): boolean =>
  presence !== undefined && presence.staysOf(person).length > 0;
