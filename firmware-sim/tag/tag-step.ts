/**
 * The tag as a step function: state and event in, effects out (protocol.md §3–§8). No clock, no I/O and no randomness of
 * its own. The state is changed in place; the caller carries the effects out in their order.
 */
import { asEpoch } from '../../protocol/brands.js';
import { beaconMac, encodeAdvert } from '../../protocol/tag/beacon.js';
import type { PackEpoch } from '../../protocol/tag/credential-pack.js';
import { hasToken, noticeToken } from '../../protocol/tag/notice.js';
import type { Notice } from '../../protocol/tag/notice.js';
import { isAcceptedDay } from '../../protocol/tag/report-check.js';
import { dayOf, EPOCH_SECONDS } from '../../protocol/time.js';
import { staticAddressOf } from '../../radio/static-address.js';
import { addPack, addStatements, credentialOf, forgetDays, isEphIdOf } from './credential-shelf.js';
import { closeAll, closeDue, hearBeacon, holdEpochs, nextCloseMs } from './encounter-table.js';
import { REPLAY_AFTER_MS } from './heard-macs.js';
import type { Sample } from './open-record.js';
import { afterGivingUp, afterReceipt, withReportDue } from './report-chain.js';
import { clockByHost, lostClock, setByHello } from './tag-clock.js';
import type { RandomBytes, TagEffect, TagEvent } from './tag-event.js';
import { advanceSecret } from './tag-secret.js';
import { isFresh } from './tag-state.js';
import type { TagPlace, TagState, Warning } from './tag-state.js';

const EPOCH_MS = EPOCH_SECONDS * 1000;
const MINUTE_MS = 60_000;
const MAX_WARNINGS = 32;
const NOTHING: readonly TagEffect[] = [];

export function stepTag(state: TagState, event: TagEvent, random: RandomBytes): readonly TagEffect[] {
  const { nowMs } = event;
  switch (event.type) {
    case 'time':
      return passTime(state, nowMs, random);
    case 'heard':
      return hear(state, { atMs: nowMs, rssiDbm: event.rssiDbm, ...event.beacon }, random);
    case 'restart':
      return restart(state, event, random);
    case 'clock':
      return setClock(state, event, random);
    case 'requested':
      state.pendingRequest = event.pending;
      return [{ type: 'save' }];
    case 'pack':
      addPack(state.shelf, event.pack);
      state.pendingRequest = undefined;
      state.dueMs = 0;
      return [{ type: 'save' }, ...passTime(state, nowMs, random)];
    case 'hello':
      return meet(state, event, random);
    case 'report-wanted':
      return wantReport(state, event);
    case 'receipt':
      return settle(state, event);
    case 'notices':
      return readNotices(state, event.notices);
  }
}

function passTime(state: TagState, nowMs: number, random: RandomBytes): readonly TagEffect[] {
  if (nowMs < state.dueMs) return NOTHING;
  if (state.clock.isLost) {
    state.dueMs = Infinity;
    return goSilent(state);
  }
  state.seenMs = nowMs;
  const due = closeDue(state.table, nowMs, state.settings);
  const effects = [...keepClosed(state, due), ...rotate(state, nowMs, random)];
  state.dueMs = nextDueMs(state, nowMs);
  return effects;
}

/** The next minute on the air, the next epoch, or the next record to close. */
function nextDueMs(state: TagState, nowMs: number): number {
  const stepMs = state.onAir === undefined ? EPOCH_MS : MINUTE_MS;
  return Math.min((Math.floor(nowMs / stepMs) + 1) * stepMs, nextCloseMs(state.table));
}

function keepClosed(state: TagState, { records, epochs }: ReturnType<typeof closeDue>): TagEffect[] {
  if (epochs.length === 0) return [];
  state.counters.logged += records.length;
  const stored: TagEffect = { type: 'store', records, epochs };
  return records.length === 0 ? [stored] : [stored, { type: 'want-session' }];
}

/** A peer that is heard on after the clock has moved has another record: the times and proofs of one are of one clock. */
const closeOpen = (state: TagState): TagEffect[] => keepClosed(state, closeAll(state.table, state.settings));

/**
 * Ephemeral ID, address and phase change with the epoch, the MAC with the minute (§4). An epoch's ID is sent from one
 * address only, and the state that remembers it is saved first: a clock that goes back finds the tag silent.
 */
function rotate(state: TagState, nowMs: number, random: RandomBytes): TagEffect[] {
  const epoch = asEpoch(Math.floor(nowMs / EPOCH_MS));
  const minute = Math.floor(nowMs / MINUTE_MS);
  const effects = beginDay(state, dayOf(nowMs / 1000));
  const credential = credentialOf(state.shelf, epoch);
  const isPast = state.aired !== undefined && epoch < state.aired.epoch;
  if (credential === undefined || isPast) return [...effects, ...goSilent(state)];
  const before = state.onAir;
  if (before?.epoch === epoch && before.minute === minute) return effects;
  const place = state.aired?.epoch === epoch ? state.aired : newPlace(state, epoch, random);
  if (place !== state.aired && effects.length === 0) effects.push({ type: 'save' }); // at midnight it is there already
  state.aired = place;
  const advert = advertOf(state, credential, minute);
  const { address, phaseMs } = place;
  state.onAir = { epoch, address, phaseMs, minute, advert, txPowerDbm: state.txPowerDbm };
  return [...effects, { type: 'advertise', onAir: state.onAir }];
}

function beginDay(state: TagState, today: number): TagEffect[] {
  if (today <= state.secret.day) return [];
  const oldest = today - state.settings.retentionDays;
  state.secret = advanceSecret(state.secret, today);
  forgetDays(state.shelf, today, state.settings.retentionDays);
  const { outstanding } = state.chain;
  if (outstanding !== undefined && outstanding.day < oldest) state.chain = afterGivingUp(state.chain);
  return [{ type: 'save' }, { type: 'expire', beforeDay: oldest }];
}

function goSilent(state: TagState): TagEffect[] {
  if (state.onAir === undefined) return [];
  state.onAir = undefined;
  return [{ type: 'silence' }];
}

function newPlace(state: TagState, epoch: number, random: RandomBytes): TagPlace {
  const bytes = random(10);
  const fraction = new DataView(bytes.buffer, bytes.byteOffset).getUint32(6) / 2 ** 32;
  const phaseMs = Math.floor(fraction * state.settings.beaconIntervalMs);
  return { epoch, address: staticAddressOf(bytes), phaseMs };
}

function advertOf(state: TagState, { ephId, authKey }: PackEpoch, minute: number): Uint8Array {
  const { txPowerDbm, settings } = state;
  const mac = beaconMac(authKey, txPowerDbm, ephId, minute);
  return encodeAdvert({ txPowerDbm, ephId, mac }, settings.beaconServiceUuid);
}

function hear(state: TagState, sample: Sample, random: RandomBytes): readonly TagEffect[] {
  if (state.clock.isLost) return NOTHING;
  const passed = passTime(state, sample.atMs, random);
  const epoch = isOwn(state, sample) ? undefined : hearBeacon(state.table, sample, state.settings);
  if (epoch === undefined) return passed;
  state.counters.heard += 1;
  const note: TagEffect = { type: 'note', epoch, sample };
  return passed.length === 0 ? [note] : [...passed, note];
}

/**
 * A tag that listens with one antenna and sends with another hears itself, and so does one whose beacons are played back
 * to it: in the two minutes in which a beacon counts (§6), those of the epoch before as well.
 */
function isOwn({ shelf }: TagState, { ephId, atMs }: Sample): boolean {
  const epochs = new Set([atMs, atMs - REPLAY_AFTER_MS].map((ms) => Math.floor(ms / EPOCH_MS)));
  return [...epochs].some((epoch) => isEphIdOf(shelf, asEpoch(epoch), ephId));
}

/** A report that was receipted just before the power went may not have been freed: it is freed again. */
function restart(
  state: TagState,
  event: Extract<TagEvent, { type: 'restart' }>,
  random: RandomBytes,
): readonly TagEffect[] {
  state.clock = event.clockLost ? lostClock(state.clock) : clockByHost(state.clock, state.seenMs);
  if (isFresh(state)) beginAfresh(state, event.nowMs, random);
  for (const sample of event.samples) hearBeacon(state.table, sample, state.settings);
  holdEpochs(state.table, event.epochs);
  state.dueMs = 0;
  return [{ type: 'free', ids: state.chain.delivered }, ...passTime(state, event.nowMs, random)];
}

function setClock(
  state: TagState,
  { isLost, offsetMs, nowMs, movedMs }: Extract<TagEvent, { type: 'clock' }>,
  random: RandomBytes,
): readonly TagEffect[] {
  state.clock = isLost ? lostClock(state.clock) : { ...state.clock, isLost, offsetMs };
  const closed = Math.abs(movedMs) > MINUTE_MS ? closeOpen(state) : [];
  if (isFresh(state)) beginAfresh(state, nowMs, random);
  state.dueMs = 0;
  return [...closed, { type: 'save' }, ...passTime(state, nowMs, random)];
}

/** A tag whose host's clock was ahead when its secret was made, and which nobody has certified yet, makes another. */
function beginAfresh(state: TagState, nowMs: number, random: RandomBytes): void {
  const day = dayOf(nowMs / 1000);
  if (day >= state.secret.day) return;
  state.secret.bytes.fill(0);
  state.secret = { day, bytes: new Uint8Array(random(32)) };
  state.pendingRequest = undefined; // its answer would certify keys that are gone
}

function meet(
  state: TagState,
  { hello, nowMs }: Extract<TagEvent, { type: 'hello' }>,
  random: RandomBytes,
): readonly TagEffect[] {
  const before = state.clock;
  state.clock = setByHello(before, hello, nowMs);
  addStatements(state.shelf, [hello.today, hello.yesterday]);
  const movedMs = state.clock.offsetMs - before.offsetMs;
  if (movedMs === 0 && !before.isLost) return [{ type: 'save' }];
  state.dueMs = 0;
  const closed = before.isLost || Math.abs(movedMs) > MINUTE_MS ? closeOpen(state) : [];
  return [...closed, ...passTime(state, nowMs + movedMs, random), { type: 'save' }];
}

function wantReport(
  state: TagState,
  { entries }: Extract<TagEvent, { type: 'report-wanted' }>,
): readonly TagEffect[] {
  const chain = withReportDue(state.chain, entries, (day) => state.shelf.sealingKeys.has(day));
  if (chain === state.chain) return NOTHING;
  state.chain = chain;
  return [{ type: 'save' }];
}

/** Flash is freed after the state that says "delivered" is durable: a crash in between repeats the freeing only. */
function settle(
  state: TagState,
  { reportHash, refusal, nowMs }: Extract<TagEvent, { type: 'receipt' }>,
): readonly TagEffect[] {
  const { outstanding } = state.chain;
  if (outstanding === undefined) return NOTHING;
  state.lastRefusal = refusal;
  if (refusal === undefined) {
    state.chain = afterReceipt(state.chain, reportHash);
    state.counters.reports += 1;
    state.counters.delivered += outstanding.ids.length;
    return [{ type: 'save' }, { type: 'free', ids: outstanding.ids }];
  }
  state.counters.refused += 1;
  const mayBeTaken = isAcceptedDay(outstanding.day, nowMs / 1000, state.settings.retentionDays);
  if (refusal !== 'day' || mayBeTaken) return NOTHING; // at one gateway's word no record is dropped
  state.chain = afterGivingUp(state.chain);
  return [{ type: 'save' }, { type: 'drop', ids: outstanding.ids }];
}

/** When there are more warnings than a tag keeps, the newest stay; an older one that is offered again does not come back. */
function readNotices(state: TagState, notices: readonly Notice[]): readonly TagEffect[] {
  const added: Warning[] = [];
  for (const notice of notices) {
    const { day, number, code } = notice;
    const isNew = !isKnown([...state.warnings, ...added], notice);
    if (isNew && isMeant(state, notice)) added.push({ day, number, code });
  }
  const kept = [...state.warnings, ...added].sort((a, b) => a.number - b.number).slice(-MAX_WARNINGS);
  if (!kept.some((warning) => added.includes(warning))) return NOTHING;
  state.warnings = kept;
  return [{ type: 'save' }];
}

function isMeant(state: TagState, notice: Notice): boolean {
  const key = state.shelf.noticeKeys.get(notice.day);
  return key !== undefined && hasToken(notice, noticeToken(key, notice.number, notice.code));
}

function isKnown(warnings: readonly Warning[], { day, number, code }: Warning): boolean {
  return warnings.some((known) => known.day === day && known.number === number && known.code === code);
}
