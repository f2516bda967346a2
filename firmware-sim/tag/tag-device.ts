/**
 * A tag as one thing: its state, its flash, its durable store and its counter. It feeds the step function and has the
 * effects carried out; runner and fleet move its time and its radio, a gateway session talks to it. What the
 * disk does not take throws, and is tried again at every tick: no report or request leaves before the state that knows of
 * it is on disk.
 */
import { asEpoch } from '../../protocol/brands.js';
import { decodeAdvert } from '../../protocol/tag/beacon.js';
import type { TagNumber } from '../../protocol/brands.js';
import type { Hello } from '../../protocol/session/hello.js';
import { partyIdOf } from '../../protocol/keys.js';
import type { Notice } from '../../protocol/tag/notice.js';
import { REPORT_KINDS } from '../../protocol/tag/report.js';
import type { TagReceipt } from '../../protocol/session/tag-receipt.js';
import { dayOf, dayOfEpoch, EPOCH_SECONDS } from '../../protocol/time.js';
import type { Sighting } from '../../radio/contract.js';
import { coveredThrough, endedOn, heldThrough, resumedOn } from './credential-shelf.js';
import { openCount } from './encounter-table.js';
import { makeRequest, openAnswer, signFirstRequest } from '../live/enrolment.js';
import type { DaysWished, EnrolmentStation, MadeRequest } from '../live/enrolment.js';
import type { Flash } from './flash.js';
import type { SessionTag } from '../live/gateway-session.js';
import { HostClock } from '../live/host-clock.js';
import type { HostTime } from '../live/host-clock.js';
import { mayBeReported } from './report-chain.js';
import type { SampleJournal } from './sample-journal.js';
import { requireNoEarlierId, sealAsTag } from './sealing-desk.js';
import type { SealedContent } from './sealing-desk.js';
import { TagEffects } from './tag-effects.js';
import type { RandomBytes, TagEvent } from './tag-event.js';
import type { SignerOf } from './tag-secret.js';
import type { Sample } from './open-record.js';
import { isFresh } from './tag-state.js';
import type { TagOnAir, TagState } from './tag-state.js';
import { stepTag } from './tag-step.js';
import type { TagStore } from './tag-store.js';
import type { TagStatus } from './tag-status.js';

export interface TagDeviceDeps {
  readonly state: TagState;
  readonly flash: Flash;
  readonly store: TagStore;
  readonly journal: SampleJournal;
  readonly signerOf: SignerOf;
  readonly random: RandomBytes;
  /** The counter the tag's clock is kept in, ms: it only goes on. */
  readonly counterMs: () => number;
  /** Whose clock says what day it is. Absent: the counter does, as in a simulation. */
  readonly host?: HostTime;
  /** Called with what is on the air from now on; `undefined`: nothing. */
  readonly onAirChanged?: (onAir: TagOnAir | undefined) => void;
}

/** By wire there is no gateway and no session: both are zero in a renewal (docs/protocol.md). */
const BY_WIRE = new Uint8Array(16);

export class TagDevice implements SessionTag {
  readonly #deps: TagDeviceDeps;
  readonly #state: TagState;
  readonly #effects: TagEffects;
  readonly #host: HostClock;

  constructor(deps: TagDeviceDeps) {
    this.#deps = deps;
    this.#effects = new TagEffects(deps);
    this.#host = new HostClock(deps.counterMs, deps.host);
    this.#state = deps.state;
  }

  get issuerPublicKey(): Uint8Array {
    return this.#state.issuerPublicKey;
  }

  get random(): RandomBytes {
    return this.#deps.random;
  }

  get onAir(): TagOnAir | undefined {
    return this.#effects.onAir;
  }

  /** Tag time. */
  nowMs(): number {
    return this.#host.nowMs() + this.#state.clock.offsetMs;
  }

  epoch(): number {
    return Math.floor(this.nowMs() / (EPOCH_SECONDS * 1000));
  }

  /** In how many ms tick() would next change something; Infinity while the clock is lost. */
  get dueInMs(): number {
    return this.#state.dueMs - this.nowMs();
  }

  get isClockLost(): boolean {
    return this.#state.clock.isLost;
  }

  /** Closed records that a gateway could still take, or a clock that only a gateway can set. */
  get wantsSession(): boolean {
    const { clock, chain, shelf } = this.#state;
    if (clock.isLost || chain.outstanding !== undefined) return true;
    const { flash } = this.#deps;
    const today = dayOf(this.nowMs() / 1000);
    return flash.stored > 0 && mayBeReported(flash.entries(), today, (day) => shelf.sealingKeys.has(day));
  }

  get warnings(): TagState['warnings'] {
    return this.#state.warnings;
  }

  /** Records are open that a later session will have to report. */
  get hasOpenRecords(): boolean {
    return openCount(this.#state.table) > 0;
  }

  tick(): void {
    this.#lookAtHost();
    const nowMs = this.nowMs();
    if (nowMs >= this.#state.dueMs) this.#step({ type: 'time', nowMs });
    this.#effects.settle();
  }

  /** Power came back. The host's clock is not believed when it does not fit what the tag knew. */
  restart(): void {
    const { clock, seenMs } = this.#state;
    const clockLost = !isFresh(this.#state) && !this.#host.isLikely(clock.offsetMs, seenMs);
    const { journal } = this.#deps;
    let noted: { samples: Iterable<Sample>; epochs: Iterable<number> } = { samples: [], epochs: [] };
    try {
      noted = { samples: journal.samples(), epochs: journal.epochs() };
    } finally {
      this.#step({ type: 'restart', nowMs: this.nowMs(), clockLost, ...noted });
    }
  }

  /** Whether it was a beacon of this deployment. */
  heard(sighting: Sighting): boolean {
    const beacon = decodeAdvert(sighting.advert, this.#state.settings.beaconServiceUuid);
    if (beacon === undefined) return false;
    this.#lookAtHost();
    const nowMs = this.#host.within(sighting.heardAtMs) + this.#state.clock.offsetMs;
    const rssiDbm = sighting.rssiDbm === undefined ? undefined : Math.round(sighting.rssiDbm);
    this.#step({ type: 'heard', nowMs, beacon, rssiDbm });
    return true;
  }

  /** Credentials for `days` days from today on, by wire. Throws what the station or the pack's checks throw. */
  async enrol(station: EnrolmentStation, wish: DaysWished, tag?: TagNumber) {
    const { signerOf } = this.#deps;
    const made = this.#request(wish);
    const answer = await station.enrol(signFirstRequest(this.#state.secret, made, signerOf), tag);
    this.takePack(answer);
  }

  /** More days, under the credential of the present epoch. Throws `epoch` when there is none. */
  async renew(station: EnrolmentStation, wish: DaysWished): Promise<void> {
    const made = this.#request(wish);
    const day = dayOf(this.nowMs() / 1000);
    const { plaintext } = made;
    const answer = await station.renew(
      this.#seal({ kind: REPORT_KINDS.request, day, plaintext, gatewayId: BY_WIRE, nonce: BY_WIRE }),
    );
    this.takePack(answer);
  }

  /** The last day for which it has credentials without a gap from today; `undefined` when there are none for today. */
  get coveredThrough(): number | undefined {
    return coveredThrough(this.#state.shelf, dayOf(this.nowMs() / 1000));
  }

  /** The last day for which it has credentials, be there a day without before it. */
  get heldThrough(): number | undefined {
    return heldThrough(this.#state.shelf);
  }

  /** The next day for which it has credentials, when there are none for today. */
  get resumesDay(): number | undefined {
    return resumedOn(this.#state.shelf, dayOf(this.nowMs() / 1000));
  }

  /** The last day for which it had credentials, when there are none from today on; `undefined` also when it never had any. */
  get lapsedDay(): number | undefined {
    if (this.coveredThrough !== undefined || this.resumesDay !== undefined) return undefined;
    const { shelf, aired } = this.#state;
    return endedOn(shelf, dayOf(this.nowMs() / 1000)) ?? (aired && dayOfEpoch(asEpoch(aired.epoch)));
  }

  get awaitsPack(): boolean {
    return this.#state.pendingRequest !== undefined;
  }

  takePack(sealed: Uint8Array): void {
    const { pendingRequest, issuerPublicKey } = this.#state;
    if (pendingRequest === undefined) return;
    const pack = openAnswer(sealed, pendingRequest, issuerPublicKey);
    this.#step({ type: 'pack', nowMs: this.nowMs(), pack });
  }

  /** Throws what tag-clock.ts throws. A clock that was lost is counted from the host's present time again, right or wrong. */
  meet(hello: Hello): void {
    this.#lookAtHost();
    const takeBack = this.isClockLost ? this.#host.believe() : undefined;
    try {
      this.#step({ type: 'hello', nowMs: this.nowMs(), hello });
    } finally {
      if (this.isClockLost) takeBack?.();
    }
  }

  /** A time the authority has told by wire: a clock that is lost takes it when the host's has long said the same. */
  hearTime(timeMs: number): void {
    this.#lookAtHost();
    const { isLost, newestSignedMs } = this.#state.clock;
    if (!isLost || timeMs < newestSignedMs || !this.#host.isConfirmedBy(timeMs)) return;
    const beforeMs = this.nowMs();
    this.#host.believe();
    this.#setClock({ isLost: false, offsetMs: 0, beforeMs });
  }

  nextReport(hello: Hello): Uint8Array | undefined {
    this.tick(); // what was delivered before must be out of the flash
    const entries = this.#deps.flash.entries();
    this.#step({ type: 'report-wanted', nowMs: this.nowMs(), entries });
    const { outstanding } = this.#state.chain;
    if (outstanding === undefined) return undefined;
    requireNoEarlierId(this.#state, asEpoch(this.epoch()));
    const gatewayId = partyIdOf(hello.certificate.gatewayPublicKey);
    const { day, plaintext } = outstanding;
    return this.#seal({ kind: REPORT_KINDS.encounters, day, plaintext, gatewayId, nonce: hello.nonce });
  }

  settle({ reportHash, refusal }: TagReceipt): void {
    this.#step({ type: 'receipt', nowMs: this.nowMs(), reportHash, refusal });
  }

  readNotices(notices: readonly Notice[]): void {
    this.#step({ type: 'notices', nowMs: this.nowMs(), notices });
  }

  status(): TagStatus {
    const { clock, counters, table, warnings, lastRefusal, chain } = this.#state;
    const { stored, dropped } = this.#deps.flash;
    return {
      isOnAir: this.onAir !== undefined,
      isDiskFailing: this.#effects.isOwing,
      isClockLost: clock.isLost,
      timeMs: this.nowMs(),
      ...counters,
      open: openCount(table),
      waiting: stored,
      dropped: dropped + table.evicted,
      spoilt: this.#deps.journal.spoilt,
      hasOutstanding: chain.outstanding !== undefined,
      coveredThroughDay: this.coveredThrough,
      resumesDay: this.resumesDay,
      lapsedDay: this.lapsedDay,
      lastRefusal,
      warnings,
    };
  }

  #request(wish: DaysWished): MadeRequest {
    const { random, signerOf } = this.#deps;
    const made = makeRequest(this.#state.secret, wish, random(32), signerOf);
    this.#step({ type: 'requested', nowMs: this.nowMs(), pending: made.pending });
    return made;
  }

  #seal(given: SealedContent): Uint8Array {
    this.tick();
    const { signerOf } = this.#deps;
    return sealAsTag({ state: this.#state, signerOf, epoch: asEpoch(this.epoch()) }, given);
  }

  #lookAtHost(): void {
    const { clock } = this.#state;
    const beforeMs = this.nowMs();
    const says = this.#host.look(clock);
    if (says === undefined) return;
    if (says.type === 'moved') return void (this.#state.dueMs = 0);
    const isDoubt = says.type === 'doubt';
    const offsetMs = says.type === 'sure' ? says.offsetMs : clock.offsetMs;
    const isLost = isDoubt && !isFresh(this.#state);
    if (isDoubt && !isLost) this.#host.believe();
    this.#setClock({ isLost, offsetMs, beforeMs });
  }

  #setClock(set: { readonly isLost: boolean; readonly offsetMs: number; readonly beforeMs: number }): void {
    const { isLost, offsetMs, beforeMs } = set;
    const nowMs = this.#host.nowMs() + offsetMs;
    this.#step({ type: 'clock', nowMs, movedMs: nowMs - beforeMs, isLost, offsetMs });
  }

  #step(event: TagEvent): void {
    this.#effects.carryOut(stepTag(this.#state, event, this.#deps.random));
  }
}
