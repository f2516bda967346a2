/**
 * The gateway: stands where people pass, takes their tags' reports, checks them offline, keeps them on disk, and hands
 * them on through its courier (protocol.md §7–§9). It cannot read what it carries.
 */
import { randomBytes } from 'node:crypto';
import { holdTime } from '../host/clock-virtual.js';
import { decodeAdvert } from '../protocol/tag/beacon.js';
import { toHex } from '../protocol/bytes.js';
import type { Clock } from '../protocol/clock.js';
import type { Signer } from '../protocol/crypto/ed25519.js';
import { FirebreakError } from '../protocol/errors.js';
import type { GatewayRefusal } from '../protocol/errors.js';
import { encodeGatewayAdvert } from '../protocol/session/gateway-advert.js';
import { partyIdOf } from '../protocol/keys.js';
import type { Log } from '../protocol/log.js';
import type { ProtocolSettings } from '../protocol/settings.js';
import { dayOf, EPOCH_SECONDS } from '../protocol/time.js';
import { leaveAir } from '../radio/leave-air.js';
import { staticAddressOf } from '../radio/static-address.js';
import type { Radio, RadioAddress, ServerPeer, ServerSession } from '../radio/contract.js';
import { Desk } from './desk.js';
import type { GatewayCourier } from './entry-post.js';
import { Invitation } from './invitation.js';
import { Presence } from './presence.js';
import { GatewaySession } from './session.js';
import { sessionTimers, watched } from './session-timers.js';
import { StatementBook } from './statement-book.js';
import type { Downlink } from './statement-book.js';
import type { PresenceStore, SequenceStore, StatementStore } from './statement-store.js';

/** Where credential packs come from, when the gateway has such a way. */
export interface PackSource {
  /** The sealed pack that answers a request of kind 3, checked; undefined while there is none. */
  packFor(request: Uint8Array): Promise<Uint8Array | undefined>;
}

export interface GatewayDeps {
  readonly radio: Radio;
  readonly signer: Signer;
  readonly certificate: () => Uint8Array;
  readonly issuerPublicKey: Uint8Array;
  readonly settings: ProtocolSettings;
  /** The first day for which the authority makes no keys any more; absent while none is set. */
  readonly sunsetDay?: number | undefined;
  readonly courier: GatewayCourier;
  readonly downlink: Downlink;
  readonly statements: StatementStore;
  readonly noticeStore: StatementStore;
  readonly presence: PresenceStore;
  readonly presenceSequence: SequenceStore;
  readonly packs?: PackSource;
  readonly clock: Clock;
  readonly log: Log;
  /** Where the gateway is on the air; a new random address when absent. */
  readonly address?: RadioAddress;
  /** A second by default. */
  readonly advertIntervalMs?: number;
  /** Sessions at a time; further tags are told to come again. */
  readonly maxSessions?: number;
  /** Wall ms after which a session is ended, whatever it is doing. */
  readonly sessionLimitMs?: number;
  /** Wall ms after which a session is ended on which the tag asks for nothing; by default only sessionLimitMs counts. */
  readonly silenceLimitMs?: number;
}

export interface GatewayStatus {
  readonly gatewayId: string;
  /** Why no tag can be served now; undefined when all is well. */
  readonly trouble: string | undefined;
  /** What of the radio is not at work. */
  readonly radioTrouble: string | undefined;
  /** Why the last report that a tag brought could not be kept; undefined when it was. */
  readonly whyNotKept: string | undefined;
  readonly openSessions: number;
  readonly sessions: number;
  readonly turnedAway: number;
  readonly timedOut: number;
  /** Ended before the tag had the receipt of what it was uploading; it comes again. */
  readonly broken: number;
  /** When the gateway went on the air, deployment ms. */
  readonly upSinceMs: number;
  readonly reportsAccepted: number;
  readonly reportsRefused: Readonly<Partial<Record<GatewayRefusal, number>>>;
  readonly beaconsHeard: number;
  readonly tagsInReach: number;
  readonly presenceReported: number;
  /** Heard, and lost: more at once than the gateway can hold or report. */
  readonly presenceLost: number;
  /** Heard, and given up: older than the window when they could be reported again. */
  readonly presenceTooOld: number;
  /** The last day of its certificate; 0 when it has none that holds today. */
  readonly certificateToDay: number;
  /** By the authority; that certificate may have days left. */
  readonly isRevoked: boolean;
  readonly statementDays: readonly number[];
  /** The first day without keys, by plan. */
  readonly sunsetDay: number | undefined;
  /** On offer to tags. */
  readonly notices: number;
}

export interface Gateway {
  status(): GatewayStatus;
  /**
   * Ends the sessions, leaves the air, and reports who was there; radio and courier stay their owner's. Rejects, at the
   * very end, with what the radio could not do, or `timeout` for a radio that hangs.
   */
  close(): Promise<void>;
}

const MAX_SESSIONS = 64;
/**
 * A full list of notices takes two minutes at an interval of 30 ms: 517 exchanges, four requests each, an answer one interval
 * later.
 */
const SESSION_LIMIT_MS = 180_000;
/** Below an ATT MTU of 128 the session closes (§7); a payload is 3 bytes less. */
const LEAST_PAYLOAD_BYTES = 125;
const KEEP_EVERY_MS = 60_000;
const EPOCH_MS = EPOCH_SECONDS * 1000;
const ADVERT = { txPowerDbm: 0, jitter: 0.1 };
const ADVERT_INTERVAL_MS = 1_000;

/** Goes on the air. Until it has a certificate and day keys it listens, and asks no tag in. */
export async function openGateway(deps: GatewayDeps): Promise<Gateway> {
  const gateway = new OpenGateway(deps);
  try {
    await gateway.start();
    return gateway;
  } catch (error) {
    await gateway.close().catch(() => undefined); // why it did not start says more
    throw error;
  }
}

class OpenGateway implements Gateway {
  readonly #deps: GatewayDeps;
  readonly #desk: Desk;
  readonly #book: StatementBook;
  readonly #presence: Presence;
  readonly #invitation: Invitation;
  readonly #sessions = new Map<ServerPeer, GatewaySession>();
  readonly #stop = new AbortController();
  readonly #counts = { sessions: 0, turnedAway: 0, timedOut: 0, broken: 0 };
  readonly #upSinceMs: number;
  #rounds: Promise<unknown> | undefined;

  constructor(deps: GatewayDeps) {
    const { signer, issuerPublicKey, certificate, courier, clock, log, settings } = deps;
    const gatewayId = partyIdOf(signer.publicKey);
    this.#deps = deps;
    this.#upSinceMs = clock.nowMs();
    const stores = { store: deps.statements, noticeStore: deps.noticeStore };
    const oldestNoticeDay = (): number => dayOf(clock.nowMs() / 1000) - settings.retentionDays;
    const onNews = (): void => void this.#invitation.look();
    const onRevoked = (fromMs: number): void => courier.noCertificateFrom(fromMs);
    const listeners = { onNews, onRevoked };
    this.#book = new StatementBook({
      ...{ issuerPublicKey, gatewayId, ...stores, oldestNoticeDay, ...listeners, log },
    });
    const shared = { signer, issuerPublicKey, book: this.#book, courier, clock };
    this.#desk = new Desk({
      ...shared,
      certificate,
      retentionDays: settings.retentionDays,
      sunsetDay: deps.sunsetDay,
      packs: deps.packs,
      log,
    });
    this.#presence = new Presence({
      ...shared,
      ...{ sequence: deps.presenceSequence, store: deps.presence, settings, log },
      mayReport: () => this.#desk.mayReport(),
    });
    this.#invitation = this.#invite();
  }

  #invite(): Invitation {
    const { radio, settings, clock, log, advertIntervalMs: intervalMs = ADVERT_INTERVAL_MS } = this.#deps;
    const advert = encodeGatewayAdvert(settings.gatewayServiceUuid);
    const address = this.#deps.address ?? staticAddressOf(randomBytes(6));
    return new Invitation({
      advertiser: radio.advertiser,
      settings: { ...ADVERT, intervalMs, address, advert, phaseMs: 0, connectable: true },
      canServe: () => this.#desk.trouble() === undefined,
      ...{ clock, log },
    });
  }

  async start(): Promise<void> {
    const { radio, downlink, settings } = this.#deps;
    await this.#book.open(downlink);
    await this.#presence.open();
    await radio.server.start((peer) => this.#accept(peer));
    await radio.scanner.start(({ advert, rssiDbm, heardAtMs }) => {
      const beacon = decodeAdvert(advert, settings.beaconServiceUuid);
      if (beacon) this.#presence.hear(beacon, rssiDbm, heardAtMs);
    });
    await this.#invitation.start();
    this.#rounds = Promise.all([
      this.#keepEachMinute(),
      this.#endWithEpochs(),
      this.#invitation.keep(this.#stop.signal),
    ]);
  }

  status(): GatewayStatus {
    const { counts } = this.#desk;
    return {
      gatewayId: toHex(this.#desk.gatewayId),
      trouble: this.#desk.trouble(),
      radioTrouble: this.#deps.radio.trouble?.(),
      whyNotKept: this.#desk.whyNotKept,
      openSessions: this.#sessions.size,
      ...this.#counts,
      upSinceMs: this.#upSinceMs,
      reportsAccepted: counts.accepted,
      reportsRefused: Object.fromEntries(counts.refused),
      beaconsHeard: this.#presence.beacons,
      tagsInReach: this.#presence.tagsInReach,
      presenceReported: this.#presence.reported,
      presenceLost: this.#presence.lost,
      presenceTooOld: this.#presence.tooOld,
      certificateToDay: this.#desk.certificate()?.toDay ?? 0,
      isRevoked: this.#desk.isRevoked(),
      statementDays: this.#book.days(),
      sunsetDay: this.#deps.sunsetDay,
      notices: this.#desk.notices().length,
    };
  }

  async close(): Promise<void> {
    this.#stop.abort(new FirebreakError('closed', 'the gateway is closed'));
    const { scanner, server } = this.#deps.radio;
    const failure = await leaveAir([
      [() => this.#invitation.withdraw(), () => scanner.stop()], // nothing new is heard or accepted
      [...this.#sessions.keys()].map((peer) => () => peer.disconnect().catch(() => undefined)), // gone already
      [() => server.stop()],
    ]);
    await this.#rounds;
    await this.#presence.finish();
    await this.#book.settled();
    if (failure !== undefined) throw failure;
  }

  #accept(peer: ServerPeer): ServerSession {
    const { maxSessions = MAX_SESSIONS, sessionLimitMs = SESSION_LIMIT_MS } = this.#deps;
    if (peer.payloadBytes < LEAST_PAYLOAD_BYTES)
      throw new FirebreakError('size', 'the connection carries too little at a time');
    if (this.#sessions.size >= maxSessions) {
      this.#counts.turnedAway += 1;
      throw new FirebreakError('busy', 'the gateway has as many sessions as it can hold');
    }
    this.#counts.sessions += 1;
    const { silenceLimitMs = sessionLimitMs } = this.#deps;
    const limits = sessionTimers({ sessionLimitMs, silenceLimitMs }, () => this.#endLate(peer));
    const session = new GatewaySession(this.#desk, peer, (wasBroken) => {
      limits.clear();
      this.#sessions.delete(peer);
      if (wasBroken) this.#counts.broken += 1;
    });
    this.#sessions.set(peer, session);
    return watched(session, limits);
  }

  #endLate(peer: ServerPeer): void {
    this.#counts.timedOut += 1;
    this.#disconnect(peer);
  }

  #disconnect(peer: ServerPeer): void {
    peer
      .disconnect()
      .catch((error: unknown) => this.#deps.log.warn('a session did not end', { why: String(error) }));
  }

  /** A link that outlived its epoch would show whose next address is whose, though nothing more were said on it (§7). */
  async #endWithEpochs(): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await clock.sleep(EPOCH_MS - (clock.nowMs() % EPOCH_MS), signal).catch(() => undefined);
      for (const [peer, session] of this.#sessions) if (session.isOver()) this.#disconnect(peer);
    }
  }

  async #keepEachMinute(): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#book.keepAgain();
      await holdTime(clock, this.#presence.report());
      await clock.sleep(KEEP_EVERY_MS, signal).catch(() => undefined);
    }
  }
}
