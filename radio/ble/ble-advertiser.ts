/**
 * Advertises by commands of our own: of what bleno does here nothing can be told to have failed. Each command's status is
 * looked at, and what the controller was told under one address never goes out under another: advertising is off, by the
 * controller's own word, before the address changes, and on only once address, parameters and data are all confirmed.
 *
 * A command may fail, or its answer be lost. Then the next interval begins again from the top; after five failures in a row
 * the controller is reset, and after ten, twenty and so on again. Until then it sends what it last confirmed, or nothing.
 * A controller told to stop sends by itself until it has taken that too: it is told again, and reset, in the same way.
 *
 * A controller's interval is fixed, and the emulator's adverts but once for each time it is enabled. The jitter is therefore
 * ours: at the end of each drawn interval advertising is switched off and on again, which sends one advert at once, and the
 * controller's own interval is a little longer than the longest of ours.
 */
import type { Clock } from '../../protocol/clock.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { checkAdvertiser } from '../air/air-node.js';
import { MAX_ADVERT_BYTES } from '../contract.js';
import type { Advertiser, AdvertiserSettings } from '../contract.js';
import { Lane } from '../lane.js';
import type { Controller } from './controller.js';
import { OPCODE, addressBytes } from './hci-packets.js';
import { slots } from './private-commands.js';

export interface AdvertiserDeps {
  readonly controller: Controller;
  readonly clock: Clock;
  readonly log: Log;
}

const SPARE = 1.25;
/** Controllers before 5.0 send unconnectable adverts no faster (Vol 4, Part E, 7.8.5). */
const MIN_UNCONNECTABLE_MS = 100;
const MIN_INTERVAL_MS = 20;
const CONNECTABLE = 0x00;
const UNCONNECTABLE = 0x03;
const OWN_ADDRESS_RANDOM = 0x01;
const ALL_CHANNELS = 0x07;
const OFF = Buffer.of(0);
const ON = Buffer.of(1);
const SUCCESS = 0x00;
/** What some controllers say when advertising is switched off that is off. If it is on, they say it to the new address too. */
const DISALLOWED = 0x0c;
const FAILURES_TO_RESET = 5;
/** Between two attempts to stop. */
const STOP_AGAIN_MS = 250;

export class BleAdvertiser implements Advertiser {
  readonly #deps: AdvertiserDeps;
  readonly #lane = new Lane();
  #onAir: AdvertiserSettings | undefined;
  #running: AbortController | undefined;
  /** When the next advert of #onAir's address is sent; undefined before the first is planned. */
  #dueMs: number | undefined;
  /** The controller has confirmed all of #onAir. */
  #isSet = false;
  /** Advertising may be on: it was asked for, and has not been confirmed to be off since. */
  #mayBeOn = false;
  /** In a row. */
  #failures = 0;

  constructor(deps: AdvertiserDeps) {
    this.#deps = deps;
  }

  /** The controller has been reset for it, and has not advertised since. */
  get isFailing(): boolean {
    return this.#failures >= FAILURES_TO_RESET;
  }

  /** As the contract has it. When the controller refuses, or does not answer, it is tried again at each interval all the same. */
  async set(settings: AdvertiserSettings): Promise<void> {
    checkAdvertiser(settings);
    const onAir = { ...settings, advert: Uint8Array.from(settings.advert) };
    await this.#lane.run(async () => {
      if (this.#onAir?.address !== onAir.address) this.#dueMs = undefined;
      this.#onAir = onAir; // even if it fails now: nothing older may come back with the controller
      this.#isSet = false;
      this.#running?.abort();
      const running = (this.#running = new AbortController());
      try {
        await this.#prepare(onAir);
      } finally {
        void this.#run(onAir, running.signal);
      }
    });
  }

  /** As the contract has it. When the controller refuses, or does not answer, it is told again until it stops all the same. */
  async stop(): Promise<void> {
    await this.#lane.run(async () => {
      this.#onAir = undefined;
      this.#running?.abort();
      const running = (this.#running = new AbortController());
      try {
        await this.#silence();
      } catch (error) {
        if (this.#mayBeOn) {
          void this.#insist(running.signal);
          throw error;
        } // else it was reset, or went away, while it was told: it is silent
      }
      this.#failures = 0;
    });
  }

  /** One advert at once, beside those of the intervals: a client has gone, and the next may be waiting. */
  advertNow(): void {
    const [onAir, running] = [this.#onAir, this.#running];
    if (onAir !== undefined && running !== undefined) void this.#advert(onAir, running.signal);
  }

  /** The controller is gone, and with it all it was told. */
  suspend(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#isSet = false;
    this.#mayBeOn = false;
  }

  /** The controller is back. */
  async restart(): Promise<void> {
    const onAir = this.#onAir;
    this.suspend();
    if (onAir !== undefined) await this.set(onAir);
  }

  async #silence(): Promise<void> {
    if (!this.#mayBeOn) return;
    await this.#ask(OPCODE.setAdvertiseEnable, OFF, [SUCCESS, DISALLOWED]);
    this.#mayBeOn = false;
  }

  async #prepare(onAir: AdvertiserSettings): Promise<void> {
    await this.#silence();
    this.#mayBeOn = true; // until the new address was taken, which no controller does while it advertises
    await this.#ask(OPCODE.setRandomAddress, addressBytes(onAir.address));
    this.#mayBeOn = false;
    await this.#ask(OPCODE.setAdvertisingParameters, parametersOf(onAir));
    await this.#ask(OPCODE.setAdvertisingData, dataOf(onAir.advert));
    await this.#ask(OPCODE.setScanResponse, dataOf(new Uint8Array(0)));
    this.#isSet = true;
  }

  async #ask(opcode: number, parameters: Uint8Array, welcome: readonly number[] = [SUCCESS]): Promise<void> {
    const status = await this.#deps.controller.command(opcode, parameters);
    if (welcome.includes(status)) return;
    throw new FirebreakError(
      'unreachable',
      `the Bluetooth controller refused to advertise (command ${opcode.toString(16)}, status ${status})`,
    );
  }

  async #run(onAir: AdvertiserSettings, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    let waitMs = this.#firstWaitMs(onAir);
    try {
      for (;;) {
        if (this.#onAir?.address === onAir.address) this.#dueMs = clock.nowMs() + waitMs;
        await clock.sleep(waitMs, signal);
        await this.#advert(onAir, signal);
        waitMs = onAir.intervalMs * (1 + onAir.jitter * (2 * Math.random() - 1));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** What was due under the address stays so. Never longer than an interval: the host's clock may have been set meanwhile. */
  #firstWaitMs({ phaseMs, intervalMs, jitter }: AdvertiserSettings): number {
    if (this.#dueMs === undefined) return phaseMs;
    const leftMs = this.#dueMs - this.#deps.clock.nowMs();
    return Math.min(Math.max(0, leftMs), intervalMs * (1 + jitter));
  }

  /** Until it is off, or the controller gone: one that comes back has forgotten it. */
  async #insist(signal: AbortSignal): Promise<void> {
    const { clock, controller } = this.#deps;
    while (!signal.aborted && this.#mayBeOn && controller.isUp()) {
      await clock.sleep(STOP_AGAIN_MS, signal).catch(() => undefined);
      await this.#attempt('advertising could not be stopped', signal, async () => {
        await this.#silence();
        this.#failures = 0;
      });
    }
  }

  /** One advert now. */
  async #advert(onAir: AdvertiserSettings, signal: AbortSignal): Promise<void> {
    await this.#attempt('an advert could not be sent', signal, async () => {
      if (this.#deps.controller.isServing) return;
      if (!this.#isSet) await this.#prepare(onAir);
      await this.#pulse();
      this.#failures = 0;
    });
  }

  /** A failure is told once, and the next interval tries again. */
  async #attempt(failure: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    try {
      await this.#lane.run(async () => {
        if (signal.aborted || !this.#deps.controller.isUp()) return;
        await work();
      });
    } catch (error) {
      this.#failed(failure, error);
    }
  }

  async #pulse(): Promise<void> {
    await this.#silence();
    this.#mayBeOn = true;
    await this.#ask(OPCODE.setAdvertiseEnable, ON);
  }

  #failed(failure: string, error: unknown): void {
    const { controller, log } = this.#deps;
    this.#isSet = false;
    this.#failures += 1;
    if (this.#failures === 1) log.warn(failure, { reason: String(error) });
    if (!Number.isInteger(Math.log2(this.#failures / FAILURES_TO_RESET))) return;
    log.warn('the Bluetooth controller is reset: it does not advertise as it is told', {
      failures: this.#failures,
    });
    controller.reset();
  }
}

/** LE Set Advertising Parameters (Vol 4, Part E, 7.8.5). */
function parametersOf({ intervalMs, jitter, connectable }: AdvertiserSettings): Buffer {
  const floorMs = connectable ? MIN_INTERVAL_MS : MIN_UNCONNECTABLE_MS;
  const interval = slots(Math.max(floorMs, intervalMs * (1 + jitter) * SPARE));
  const parameters = Buffer.alloc(15);
  parameters.writeUInt16LE(interval, 0);
  parameters.writeUInt16LE(interval, 2);
  parameters.writeUInt8(connectable ? CONNECTABLE : UNCONNECTABLE, 4);
  parameters.writeUInt8(OWN_ADDRESS_RANDOM, 5);
  parameters.writeUInt8(ALL_CHANNELS, 13);
  return parameters;
}

/** LE Set Advertising Data, and Set Scan Response Data (7.8.7, 7.8.8): the length, and 31 bytes whatever it is. */
function dataOf(advert: Uint8Array): Buffer {
  const parameters = Buffer.alloc(1 + MAX_ADVERT_BYTES);
  parameters.writeUInt8(advert.length, 0);
  parameters.set(advert, 1);
  return parameters;
}
