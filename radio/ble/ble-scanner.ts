/**
 * Hears adverts. noble starts and stops the scan; whether it did is for the controller to say, because noble takes a start for
 * done before the command that starts is answered. What it hears is read from the controller's reports, because noble hands on
 * neither the payload as it was sent nor more than the last one it merged.
 *
 * After a command that failed, or whose answer was lost, the scan may be on or off: it is switched off before it is switched on.
 */
import type { Clock } from '../../protocol/clock.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import type { RadioAddress, Scanner, Sighting } from '../contract.js';
import { Lane } from '../lane.js';
import type { Controller } from './controller.js';
import { OPCODE } from './hci-packets.js';
import type { AdvertReport } from './hci-packets.js';
import type { Noble } from './libraries.js';
import { within } from './settle.js';
import { TroubleTeller } from './trouble-teller.js';

export interface ScannerDeps {
  readonly noble: Noble;
  readonly controller: Controller;
  readonly clock: Clock;
  readonly log: Log;
  readonly modelledRssi?: ((address: RadioAddress, advert: Uint8Array) => number | undefined) | undefined;
  /** Wall ms between two attempts to switch the scan. */
  readonly retryMs?: number;
}

const CONTROL_MS = 3_000;
const RETRY_MS = 2_000;
/** One lost answer is no trouble: it is tried again. */
const FAILURES_TO_TELL = 3;
const SUCCESS = 0x00;
/** What some controllers say when a scan is switched off that is off. */
const DISALLOWED = 0x0c;
/** Reports of undirected adverts; directed ones carry no payload, scan responses are never asked for. */
const UNDIRECTED: ReadonlySet<number> = new Set([0, 2, 3]);

export class BleScanner implements Scanner {
  readonly #deps: ScannerDeps;
  readonly #lane = new Lane();
  readonly #trouble: TroubleTeller;
  #listener: ((sighting: Sighting) => void) | undefined;
  /** How many of us need to hear: the listener, and a connect that waits for its advertiser. */
  #needs = 0;
  #holds = 0;
  /** Undefined when the controller's word for it is missing. */
  #scanning: boolean | undefined = false;
  /** In a row. */
  #failures = 0;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(deps: ScannerDeps) {
    this.#deps = deps;
    this.#trouble = new TroubleTeller(deps.log, {
      failed: 'the scan could not be switched; it is tried until it is',
      works: 'the scan is switched again as it should be',
    });
  }

  /** The scan could not be switched several times in a row. */
  get isFailing(): boolean {
    return this.#failures >= FAILURES_TO_TELL;
  }

  async start(onSighting: (sighting: Sighting) => void): Promise<void> {
    if (this.#listener !== undefined) throw new FirebreakError('exists', 'this radio is scanning already');
    this.#listener = onSighting;
    try {
      await this.need();
    } catch (error) {
      this.#listener = undefined;
      throw error;
    }
  }

  async stop(): Promise<void> {
    if (this.#listener === undefined) return;
    this.#listener = undefined;
    await this.needless();
  }

  /** One more needs the scan to run. Rejects with `unreachable`, and then nobody more does. */
  async need(): Promise<void> {
    this.#needs += 1;
    await this.#follow().catch((error: unknown) => {
      this.#needs -= 1;
      void this.#followInTheEnd();
      throw error;
    });
  }

  /** One less needs it. */
  async needless(): Promise<void> {
    this.#needs -= 1;
    await this.#followInTheEnd();
  }

  /** Holds the scan while a connection is made. Rejects with `unreachable`, and then it is not held. */
  async hold(): Promise<void> {
    this.#holds += 1;
    await this.#follow().catch((error: unknown) => {
      this.#holds -= 1;
      void this.#followInTheEnd();
      throw error;
    });
  }

  async release(): Promise<void> {
    this.#holds -= 1;
    await this.#followInTheEnd();
  }

  /** Ends for good. */
  close(): void {
    clearTimeout(this.#retry);
    this.#isClosed = true;
  }

  /** The controller lost its state and has it back: scanning is to be started anew. */
  async restart(): Promise<void> {
    await this.#lane.run(async () => {
      this.#deps.noble.stopScanning(); // one family still takes itself for scanning
      this.#deps.controller.answerFor(OPCODE.setScanEnable);
      this.#scanning = false;
    });
    await this.#follow();
  }

  hear(report: AdvertReport): void {
    if (this.#listener === undefined || !UNDIRECTED.has(report.type)) return;
    const { address, advert } = report;
    const rssiDbm = report.rssiDbm ?? this.#deps.modelledRssi?.(address, advert);
    try {
      this.#listener({ address, advert, rssiDbm, heardAtMs: this.#deps.clock.nowMs() });
    } catch (error) {
      this.#deps.log.error('a listener failed on an advert', { reason: String(error) });
    }
  }

  /** Nobody waits for this to succeed, but a scan that was not taken up again would leave the node deaf. */
  async #followInTheEnd(): Promise<void> {
    try {
      await this.#follow();
    } catch (error) {
      this.#trouble.failed(error);
      clearTimeout(this.#retry);
      const retryMs = this.#deps.retryMs ?? RETRY_MS;
      if (!this.#isClosed) this.#retry = setTimeout(() => void this.#followInTheEnd(), retryMs);
    }
  }

  #follow(): Promise<void> {
    return this.#lane.run(async () => {
      const wanted = this.#needs > 0 && this.#holds === 0;
      if (wanted === this.#scanning) return;
      const isKnown = this.#scanning !== undefined;
      this.#scanning = undefined;
      try {
        if (wanted && !isKnown) await this.#switch(false);
        await this.#switch(wanted);
      } catch (error) {
        this.#failures += 1;
        throw error;
      }
      this.#scanning = wanted;
      if (this.#holds > 0) return; // says nothing of whether it can be taken up again
      this.#failures = 0;
      this.#trouble.works();
    });
  }

  async #switch(isOn: boolean): Promise<void> {
    const { noble, controller } = this.#deps;
    const begin = (): void => (isOn ? noble.startScanning([], true) : noble.stopScanning());
    const status = await within(CONTROL_MS, 'no answer', controller.switchScan(begin)).catch(
      (cause: unknown) => {
        throw new FirebreakError('unreachable', 'the Bluetooth controller that scans is away', { cause });
      },
    );
    if (status === SUCCESS) return;
    // The library takes no notice of this, and one family would take itself for scanning.
    if (!isOn && status === DISALLOWED) return controller.answerFor(OPCODE.setScanEnable);
    throw new FirebreakError(
      'unreachable',
      `the Bluetooth controller refused to switch its scan ${isOn ? 'on' : 'off'} (status ${status})`,
    );
  }
}
