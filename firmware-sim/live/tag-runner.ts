/**
 * One tag, live: it scans, advertises, logs, keeps its credentials and visits gateways, on any Radio and Clock. All it
 * must not lose is in its folder: killed at any moment, it goes on where it was.
 */
import type { TagNumber } from '../../protocol/brands.js';
import { equalBytes } from '../../protocol/bytes.js';
import type { Clock, Counter } from '../../protocol/clock.js';
import { FirebreakError } from '../../protocol/errors.js';
import { isGatewayAdvert } from '../../protocol/session/gateway-advert.js';
import type { Log } from '../../protocol/log.js';
import type { ProtocolSettings } from '../../protocol/settings.js';
import { dayOf } from '../../protocol/time.js';
import type { Radio, Sighting } from '../../radio/contract.js';
import { leaveAir } from '../../radio/leave-air.js';
import { advertSetter } from './advert-setter.js';
import type { AdvertSetter } from './advert-setter.js';
import { keepCredentials } from './credential-renewer.js';
import { DiskTrouble } from '../tag/disk-trouble.js';
import type { EnrolmentStation } from './enrolment.js';
import { DEFAULT_SESSION } from './gateway-session.js';
import type { SessionSettings } from './gateway-session.js';
import { DEFAULT_VISITS, gatewayVisitor } from './gateway-visitor.js';
import type { GatewayVisitor, VisitorStatus, VisitSettings } from './gateway-visitor.js';
import { TagDevice } from '../tag/tag-device.js';
import type { RandomBytes } from '../tag/tag-event.js';
import { openTagFolder } from '../tag/tag-folder.js';
import type { TagFolder } from '../tag/tag-folder.js';
import type { SignerOf } from '../tag/tag-secret.js';
import { newTagState } from '../tag/tag-state.js';
import type { TagState } from '../tag/tag-state.js';
import type { TagStatus } from '../tag/tag-status.js';

export interface TagRunnerDeps {
  readonly radio: Radio;
  readonly clock: Clock;
  /** Runs beside a clock that people and networks set. Absent: the clock itself only goes on, as virtual time does. */
  readonly counter?: Counter;
  /** Of this tag alone; made when it is not there. */
  readonly folder: string;
  readonly settings: ProtocolSettings;
  readonly issuerPublicKey: Uint8Array;
  readonly station: EnrolmentStation;
  /** The number wished for at enrolment; the authority chooses when it is absent. */
  readonly tag?: TagNumber;
  readonly txPowerDbm?: number;
  readonly signerOf: SignerOf;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly session?: Partial<SessionSettings>;
  readonly visits?: Partial<VisitSettings>;
}

export interface TagRunnerStatus extends TagStatus, VisitorStatus {
  /** What of its radio is not at work. */
  readonly radioTrouble: string | undefined;
}

export interface TagRunner {
  status(): TagRunnerStatus;
  /** Ends what is under way, leaves the air, closes the folder. Rejects, at the very end, with what failed; `timeout` for a radio that hangs. */
  close(): Promise<void>;
}

const LONGEST_NAP_MS = 60_000;

/** Throws what opening the folder throws (`permission`, `damaged`, `foreign`) or the scanner's start. */
export async function openTagRunner(deps: TagRunnerDeps): Promise<TagRunner> {
  const folder = openTagFolder(deps.folder, deps.settings);
  try {
    requireOwnIssuer(folder.state, deps.issuerPublicKey);
    const runner = new LiveTag(deps, folder);
    await runner.start();
    return runner;
  } catch (error) {
    folder.close();
    throw error;
  }
}

class LiveTag implements TagRunner {
  readonly #deps: TagRunnerDeps;
  readonly #folder: TagFolder;
  readonly #device: TagDevice;
  readonly #adverts: AdvertSetter;
  readonly #visitor: GatewayVisitor;
  readonly #stop = new AbortController();
  readonly #notes: DiskTrouble;
  /** A tag that stopped here for a full disk would go on advertising one ID for ever. */
  readonly #records: DiskTrouble;
  #isClockLost = false;
  #work: Promise<unknown> = Promise.resolve();

  constructor(deps: TagRunnerDeps, folder: TagFolder) {
    const { radio, clock, counter, settings, log } = deps;
    const counterMs = (): number => counter?.nowMs() ?? clock.nowMs();
    const fraction = (): number => fractionOf(deps.random);
    this.#deps = deps;
    this.#folder = folder;
    this.#notes = new DiskTrouble('a beacon could not be noted', log);
    this.#records = new DiskTrouble('the tag could not keep its records; it goes on', log);
    this.#adverts = advertSetter(radio.advertiser, settings, log);
    this.#device = new TagDevice({
      state: folder.state ?? newState(deps),
      flash: folder.flash,
      store: folder.store,
      journal: folder.journal,
      signerOf: deps.signerOf,
      random: deps.random,
      counterMs,
      ...(counter && { host: { nowMs: () => clock.nowMs(), rate: counter.rate } }),
      onAirChanged: (onAir) => this.#adverts.set(onAir),
    });
    this.#visitor = gatewayVisitor({
      device: this.#device,
      central: radio.central,
      session: { ...DEFAULT_SESSION, ...deps.session },
      visits: { ...DEFAULT_VISITS, ...deps.visits },
      counterMs,
      fraction,
      log,
    });
  }

  async start(): Promise<void> {
    const { radio, station, tag, clock, log, random } = this.#deps;
    this.#records.try(() => this.#device.restart());
    if (this.#device.onAir === undefined) this.#adverts.set(undefined); // whatever the radio was left with
    await radio.scanner.start((sighting) => this.#hear(sighting));
    const { signal } = this.#stop;
    const credentials = {
      device: this.#device,
      station,
      tag,
      clock,
      log,
      fraction: () => fractionOf(random),
    };
    this.#work = Promise.all([this.#keepTime(signal), keepCredentials(credentials, signal)]);
    this.#work.catch((error: unknown) => log.error('the tag stopped', { reason: String(error) }));
  }

  status(): TagRunnerStatus {
    const radioTrouble = this.#deps.radio.trouble?.();
    return { ...this.#device.status(), ...this.#visitor.status(), radioTrouble };
  }

  async close(): Promise<void> {
    const { scanner, advertiser } = this.#deps.radio;
    this.#stop.abort();
    const failure = await leaveAir([
      [() => scanner.stop(), () => this.#visitor.close(), () => this.#work], // each may still change the advert
      [() => this.#adverts.idle()],
      [() => advertiser.stop()],
    ]);
    this.#folder.close();
    if (failure !== undefined) throw failure;
  }

  /** Called by the radio, which must not suffer from a full disk. */
  #hear(sighting: Sighting): void {
    const { settings } = this.#deps;
    if (this.#stop.signal.aborted) return; // a scanner that does not stop
    if (isGatewayAdvert(sighting.advert, settings.gatewayServiceUuid))
      return this.#visitor.heard(sighting.address);
    this.#notes.try(() => this.#device.heard(sighting));
  }

  async #keepTime(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      this.#records.try(() => this.#device.tick());
      this.#sayIfLost();
      this.#visitor.cutUnlessOf(this.#device.epoch());
      const napMs = Math.min(LONGEST_NAP_MS, Math.max(1, this.#device.dueInMs));
      await clock.sleep(napMs, signal).catch(() => {}); // rejects only when told to stop
    }
  }

  #sayIfLost(): void {
    const { isClockLost } = this.#device;
    if (isClockLost === this.#isClockLost) return;
    this.#isClockLost = isClockLost;
    const { log } = this.#deps;
    if (!isClockLost) return log.info('the tag knows the time again');
    log.warn(
      'the clock of this machine does not fit what the tag knows; it is silent until a gateway tells it the time, or its authority has the same as this machine',
    );
  }
}

/** A new tag makes its secret itself; nobody else ever holds it (protocol.md §3). */
function newState({ settings, issuerPublicKey, clock, random, txPowerDbm }: TagRunnerDeps): TagState {
  const secret = { day: dayOf(clock.nowMs() / 1000), bytes: new Uint8Array(random(32)) };
  return newTagState({ settings, issuerPublicKey, secret, ...(txPowerDbm !== undefined && { txPowerDbm }) });
}

function requireOwnIssuer(state: TagState | undefined, issuerPublicKey: Uint8Array): void {
  if (state === undefined || equalBytes(state.issuerPublicKey, issuerPublicKey)) return;
  throw new FirebreakError('foreign', 'the tag in this folder is enrolled with another authority');
}

function fractionOf(random: RandomBytes): number {
  const bytes = random(4);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) / 2 ** 32;
}
