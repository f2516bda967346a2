/**
 * Carries out what a step wants done, in its order. What the disk did not take is owed and comes first the next time; what
 * relies on a save (an ID on the air, flash freed or dropped) waits for it, and what does not is done all the same. While
 * an advert waits the tag is silent: the one before it may be of an epoch that has ended.
 */
import { encodeEncounterRecord } from '../../protocol/tag/encounter-record.js';
import { dayOf } from '../../protocol/time.js';
import type { Flash } from './flash.js';
import { startOf } from './report-chain.js';
import type { SampleJournal } from './sample-journal.js';
import type { TagEffect } from './tag-event.js';
import type { TagOnAir, TagState } from './tag-state.js';
import type { TagStore } from './tag-store.js';

export interface TagEffectsDeps {
  readonly state: TagState;
  readonly flash: Flash;
  readonly store: TagStore;
  readonly journal: SampleJournal;
  /** Called with what is on the air from now on; `undefined`: nothing. */
  readonly onAirChanged?: (onAir: TagOnAir | undefined) => void;
}

/** A disk that takes nothing for so long keeps the records of later epochs in the journal only, until the next start. */
const MAX_OWED_STORES = 64;
/** More than two days of epochs. Notes that cannot be removed for longer stay until the next start. */
const MAX_OWED_FORGETS = 256;
const RELY_ON_SAVE: ReadonlySet<Duty['type']> = new Set(['advertise', 'free', 'drop', 'expire']);
/** Of these the newest says it all. */
const ON_AIR: ReadonlySet<Duty['type']> = new Set(['advertise', 'silence']);

/** What is stored is forgotten in the journal epoch by epoch, so that a failure there stores and holds up nothing else. */
type Duty = TagEffect | { readonly type: 'forget'; readonly epoch: number };

const NOTHING: readonly Duty[] = [];

/** One in which something went wrong. */
interface Round {
  readonly owed: Duty[];
  readonly failures: unknown[];
  isSaved: boolean;
}

export class TagEffects {
  readonly #deps: TagEffectsDeps;
  #owed: readonly Duty[] = NOTHING;
  #onAir: TagOnAir | undefined;

  constructor(deps: TagEffectsDeps) {
    this.#deps = deps;
  }

  /** What is on the air in fact. */
  get onAir(): TagOnAir | undefined {
    return this.#onAir;
  }

  /** The disk has not taken everything yet. */
  get isOwing(): boolean {
    return this.#owed.length > 0;
  }

  /** Throws the first failure when all that could be done is done. Notes alone do not bring up what is owed. */
  carryOut(effects: readonly TagEffect[]): void {
    if (effects.length === 0) return;
    if (!this.isOwing) return this.#run(effects);
    if (effects.some(({ type }) => type !== 'note')) return this.#run(together(this.#owed, effects));
    for (const note of effects) this.#do(note);
  }

  /** Does what is owed, if anything is. Throws as carryOut does. */
  settle(): void {
    if (this.isOwing) this.#run(this.#owed);
  }

  #run(duties: readonly Duty[]): void {
    let round: Round | undefined;
    for (const duty of duties) round = this.#attempt(duty, round);
    this.#owed = bounded(round?.owed ?? NOTHING);
    if (round !== undefined) throw round.failures[0];
  }

  /** Returns what went wrong so far; `undefined`, nearly always: nothing. */
  #attempt(duty: Duty, round: Round | undefined): Round | undefined {
    if (round?.isSaved === false && RELY_ON_SAVE.has(duty.type)) {
      round.owed.push(duty);
      if (duty.type === 'advertise') this.#air(undefined);
      return round;
    }
    try {
      this.#do(duty);
    } catch (error) {
      return withFailure(round, duty, error);
    }
    return duty.type === 'store' ? this.#forgetAll(duty.epochs, round) : round;
  }

  #forgetAll(epochs: readonly number[], before: Round | undefined): Round | undefined {
    let round = before;
    for (const epoch of epochs) round = this.#attempt({ type: 'forget', epoch }, round);
    return round;
  }

  #do(duty: Duty): void {
    const { flash, journal, store, state } = this.#deps;
    switch (duty.type) {
      case 'note':
        return journal.append(duty.epoch, duty.sample);
      case 'store':
        return flash.append(duty.records.map(encodeEncounterRecord));
      case 'forget':
        return journal.forget(duty.epoch);
      case 'free':
        return flash.free(duty.ids);
      case 'drop':
        return flash.drop(duty.ids);
      case 'expire':
        return flash.drop(idsBefore(flash, duty.beforeDay));
      case 'save':
        return store.save(state);
      case 'advertise':
        return this.#air(duty.onAir);
      case 'silence':
        return this.#air(undefined);
      case 'want-session':
        return undefined; // wantsSession says it
    }
  }

  #air(onAir: TagOnAir | undefined): void {
    if (onAir === this.#onAir) return;
    this.#onAir = onAir;
    this.#deps.onAirChanged?.(onAir);
  }
}

function withFailure(before: Round | undefined, duty: Duty, error: unknown): Round {
  const round = before ?? { owed: [], failures: [], isSaved: true };
  round.failures.push(error);
  if (duty.type === 'save') round.isSaved = false;
  if (duty.type !== 'note') round.owed.push(duty);
  return round;
}

const together = (owed: readonly Duty[], effects: readonly TagEffect[]): readonly Duty[] =>
  withOneSave([...withoutOldAirs(owed, effects), ...effects]);

/** The newest word on the air covers all before it. */
function withoutOldAirs(owed: readonly Duty[], effects: readonly TagEffect[]): readonly Duty[] {
  const airs = effects.some(({ type }) => ON_AIR.has(type));
  return airs ? owed.filter(({ type }) => !ON_AIR.has(type)) : owed;
}

/** The first save covers those that follow it: the state has all changes by then. */
function withOneSave(duties: readonly Duty[]): readonly Duty[] {
  const first = duties.findIndex(({ type }) => type === 'save');
  return duties.filter(({ type }, place) => type !== 'save' || place === first);
}

/** What is left owed after all of it was tried, the newest. */
const bounded = (owed: readonly Duty[]): readonly Duty[] =>
  newest(newest(owed, 'store', MAX_OWED_STORES), 'forget', MAX_OWED_FORGETS);

function newest(owed: readonly Duty[], of: Duty['type'], count: number): readonly Duty[] {
  let excess = owed.filter(({ type }) => type === of).length - count;
  return excess <= 0 ? owed : owed.filter(({ type }) => type !== of || (excess -= 1) < 0);
}

function idsBefore(flash: Flash, day: number): number[] {
  return [...flash.entries()].filter(({ bytes }) => dayOf(startOf(bytes)) < day).map(({ id }) => id);
}
