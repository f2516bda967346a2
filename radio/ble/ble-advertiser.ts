/**
 * Advertises through bleno, with what bleno has no setting for given to the controller between its stop and its start: the
 * random address, the kind of advert and the interval.
 *
 * A controller's interval is fixed, and the emulator's adverts but once for each time it is enabled. The jitter is therefore
 * ours: at the end of each drawn interval advertising is switched off and on again, which sends one advert at once, and the
 * controller's own interval is a little longer than the longest of ours.
 */
import type { Clock } from '../../protocol/clock.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { checkAdvertiser } from '../air-node.js';
import type { Advertiser, AdvertiserSettings } from '../contract.js';
import { Lane } from '../lane.js';
import type { Controller } from './controller.js';
import { OPCODE, addressBytes } from './hci-packets.js';
import type { Bleno } from './libraries.js';
import { slots } from './private-commands.js';
import { eventOf } from './settle.js';

export interface AdvertiserDeps {
  readonly bleno: Bleno;
  readonly controller: Controller;
  readonly clock: Clock;
  readonly log: Log;
}

const CONTROL_MS = 3_000;
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

export class BleAdvertiser implements Advertiser {
  readonly #deps: AdvertiserDeps;
  readonly #lane = new Lane();
  #onAir: AdvertiserSettings | undefined;
  #running: AbortController | undefined;
  #advertising = false;
  #failing = false;

  constructor(deps: AdvertiserDeps) {
    this.#deps = deps;
  }

  async set(settings: AdvertiserSettings): Promise<void> {
    checkAdvertiser(settings);
    const onAir = { ...settings, advert: Uint8Array.from(settings.advert) };
    await this.#lane.run(async () => {
      this.#onAir = onAir; // even if it fails now: nothing older may come back with the controller
      await this.#silence();
      await this.#prepare(onAir);
      this.#running = new AbortController();
      void this.#run(onAir, this.#running.signal);
    });
  }

  async stop(): Promise<void> {
    await this.#lane.run(async () => {
      this.#onAir = undefined;
      await this.#silence();
    });
  }

  /** The controller is gone, and with it all it was told. */
  suspend(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#advertising = false;
  }

  /** The controller is back. */
  async restart(): Promise<void> {
    const onAir = this.#onAir;
    this.suspend();
    if (onAir !== undefined) await this.set(onAir);
  }

  async #silence(): Promise<void> {
    this.#running?.abort();
    this.#running = undefined;
    if (!this.#advertising) return;
    this.#advertising = false;
    const { bleno } = this.#deps;
    await eventOf(bleno, 'advertisingStop', CONTROL_MS, () => bleno.stopAdvertising());
  }

  async #prepare(onAir: AdvertiserSettings): Promise<void> {
    await this.#ask(OPCODE.setRandomAddress, addressBytes(onAir.address));
    await this.#ask(OPCODE.setAdvertisingParameters, parametersOf(onAir));
  }

  async #ask(opcode: number, parameters: Uint8Array): Promise<void> {
    const status = await this.#deps.controller.command(opcode, parameters);
    if (status === 0) return;
    throw new FirebreakError(
      'unreachable',
      `the Bluetooth controller refused to advertise (status ${status})`,
    );
  }

  async #run(onAir: AdvertiserSettings, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    try {
      await clock.sleep(onAir.phaseMs, signal);
      for (;;) {
        await this.#advert(onAir, signal);
        await clock.sleep(onAir.intervalMs * (1 + onAir.jitter * (2 * Math.random() - 1)), signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** One advert now. A failure is told once, and the next interval tries again. */
  async #advert(onAir: AdvertiserSettings, signal: AbortSignal): Promise<void> {
    const { controller, log } = this.#deps;
    try {
      await this.#lane.run(async () => {
        if (signal.aborted || controller.isServing || !controller.isUp()) return;
        await (this.#advertising ? this.#pulse() : this.#begin(onAir));
      });
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) log.warn('an advert could not be sent', { reason: String(error) });
      this.#failing = true;
    }
  }

  async #begin(onAir: AdvertiserSettings): Promise<void> {
    const { bleno } = this.#deps;
    const begin = (): void => bleno.startAdvertisingWithEIRData(Buffer.from(onAir.advert), Buffer.alloc(0));
    this.#advertising = true;
    await eventOf(bleno, 'advertisingStart', CONTROL_MS, begin);
  }

  async #pulse(): Promise<void> {
    const { controller } = this.#deps;
    await controller.command(OPCODE.setAdvertiseEnable, OFF);
    await controller.command(OPCODE.setAdvertiseEnable, ON);
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
