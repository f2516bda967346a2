/** What a tracer lends to whoever looks for clusters: its walks, told as far as they are read, and a list of all they reached. */
import type { AccessRecorder } from '../looks/access.js';
import { personOf } from '../contacts/people.js';
import type { People } from '../contacts/people.js';
import { PeopleReached } from '../looks/people-reached.js';
import type { PresenceView } from '../presence/presence-view.js';
import { RowTeller } from '../looks/rows-told.js';
import type { TraceWords } from '../looks/rows-told.js';
import type { WalkRequest } from '../looks/trace-result.js';
import type { TraceWalks } from '../walk/trace-walks.js';
import type { ClusterDesk } from './look-up.js';

export interface ClusterGround {
  /** Of the view that is walked. */
  readonly people: People;
  /** Of people who were added since. Throws `busy` when people were numbered anew. */
  readonly tagOf: (person: number) => number;
  readonly walk: (request: WalkRequest) => Promise<TraceWalks>;
  readonly wordsOf: (request: WalkRequest) => TraceWords;
  readonly presence: PresenceView;
  readonly access: AccessRecorder;
  readonly signal: AbortSignal | undefined;
}

/** For one look. */
export function clusterDesk(ground: ClusterGround): ClusterDesk {
  const { people, tagOf, walk, wordsOf, presence, access, signal } = ground;
  const everybody = new PeopleReached(people, tagOf);
  return {
    trace: async (request) => {
      const { reached } = await walk(request);
      everybody.addAll(reached.everyone);
      const listed = { ...reached, everyone: new Uint32Array() }; // rows are held to the end, and a city is large
      const reachedCount = reached.reachedCount;
      return { reachedCount, reached: new RowTeller(people, listed, wordsOf(request)).rowsToTell() };
    },
    presence: {
      view: presence,
      personOf: (tag) => personOf(people, tag),
      counted: (person) => everybody.add(person),
    },
    reachedWith: (named) => everybody.tagsWith(named),
    record: (look, asked, reached) => access.record(look, asked, reached, signal),
    signal,
  };
}
