/**
 * Connects through noble, one connection at a time: noble cancels, queues and mixes up what is asked of it at once, and
 * controllers take one LE Create Connection at a time anyway.
 */
import { reasonOf } from '../../host/clock-live.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Central, Link, RadioAddress } from '../contract.js';
import { Lane } from '../lane.js';
import { BleLink } from './ble-link.js';
import type { BleScanner } from './ble-scanner.js';
import type { BleTimes } from './ble-times.js';
import type { Controller } from './controller.js';
import { forgetPeripheral } from './forget-peripheral.js';
import { ADMISSION_UUID, CHARACTERISTIC_UUIDS, SERVICE_UUID } from './gatt-profile.js';
import type { AdvertReport } from './hci-packets.js';
import type { Noble, NobleCharacteristic, NoblePeripheral } from './libraries.js';
import { eventOf, orAborted, within } from './settle.js';

export interface CentralDeps {
  readonly noble: Noble;
  readonly controller: Controller;
  readonly scanner: BleScanner;
  readonly times: BleTimes;
}

const CONNECTABLE = 0;
const ATTEMPTS = 4;
const ATT_HEADER_BYTES = 3;
const DEFAULT_MTU = 23;
/** Connectable advertisers heard lately, so that whoever was just heard need not be waited for. */
const MAX_RECENT = 256;

interface Recent {
  readonly report: AdvertReport;
  readonly heardAtMs: number;
}

export class BleCentral implements Central {
  readonly #deps: CentralDeps;
  readonly #lane = new Lane();
  readonly #links = new Map<number, BleLink>();
  readonly #recent = new Map<RadioAddress, Recent>();
  /** The handle of the connection that was made last as a client. */
  #lastHandle: number | undefined;
  #attempting = false;
  #closed = false;

  constructor(deps: CentralDeps) {
    this.#deps = deps;
  }

  async connect(address: RadioAddress, signal?: AbortSignal): Promise<Link> {
    signal?.throwIfAborted();
    return this.#lane.run(async () => {
      if (this.#closed) throw new FirebreakError('closed', 'this radio is closed');
      signal?.throwIfAborted();
      return this.#connect(address, signal ?? new AbortController().signal);
    });
  }

  /** Ends every connection and takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  hear(report: AdvertReport): void {
    this.#recent.delete(report.address);
    if (report.type !== CONNECTABLE) return;
    this.#recent.set(report.address, { report, heardAtMs: performance.now() });
    const oldest = this.#recent.keys().next();
    if (this.#recent.size > MAX_RECENT && oldest.done !== true) this.#recent.delete(oldest.value);
  }

  connected(handle: number): void {
    if (this.#attempting) this.#lastHandle = handle;
    else this.#deps.controller.disconnect(handle); // made after we gave it up
  }

  disconnected(handle: number): void {
    this.#links.get(handle)?.ended();
    this.#links.delete(handle);
  }

  attribute(handle: number, pdu: Buffer): void {
    this.#links.get(handle)?.attribute(pdu);
  }

  async #connect(address: RadioAddress, signal: AbortSignal): Promise<Link> {
    const { controller, scanner, noble } = this.#deps;
    controller.wanted = address;
    let peripheral: NoblePeripheral | undefined;
    try {
      peripheral = await this.#find(address, signal);
      controller.wanted = undefined;
      await scanner.hold();
      const handle = await this.#reach(peripheral, signal).finally(() => scanner.release());
      return await this.#open(peripheral, handle, signal);
    } catch (error) {
      if (peripheral !== undefined) forgetPeripheral(noble, peripheral.id);
      throw signal.aborted ? reasonOf(signal) : error;
    } finally {
      controller.wanted = undefined;
    }
  }

  /** noble's object for a connectable advertiser at the address, heard just before or within the time. */
  async #find(address: RadioAddress, signal: AbortSignal): Promise<NoblePeripheral> {
    const { noble, controller, scanner, times } = this.#deps;
    let found: (peripheral: NoblePeripheral) => void = () => undefined;
    const heard = new Promise<NoblePeripheral>((resolve) => (found = resolve));
    const onDiscover = (peripheral: NoblePeripheral): void => {
      if (peripheral.id === address && peripheral.connectable) found(peripheral);
    };
    noble.on('discover', onDiscover);
    try {
      await scanner.need();
      const recent = this.#recent.get(address);
      if (recent !== undefined && performance.now() - recent.heardAtMs < times.recentMs) {
        controller.retell(recent.report);
      }
      const finding = within(times.discoverMs, 'nobody advertised', orAborted(heard, signal));
      return await finding.finally(() => scanner.needless());
    } catch (error) {
      throw isTimeout(error) ? nobodyThere() : error;
    } finally {
      noble.removeListener('discover', onDiscover);
    }
  }

  /** Makes the connection; a controller that says 0x3e ("failed to be established") is asked again. */
  async #reach(peripheral: NoblePeripheral, signal: AbortSignal): Promise<number> {
    const { controller } = this.#deps;
    for (let attempt = 1; ; attempt++) {
      if (!controller.isUp()) throw new FirebreakError('unreachable', 'the Bluetooth controller is gone');
      const handle = await this.#attempt(peripheral, signal);
      if (handle !== undefined) return handle;
      if (attempt === ATTEMPTS) throw nobodyThere();
      await pause(attempt * (10 + Math.random() * 40));
      signal.throwIfAborted();
    }
  }

  async #attempt(peripheral: NoblePeripheral, signal: AbortSignal): Promise<number | undefined> {
    const { times, controller } = this.#deps;
    this.#lastHandle = undefined;
    this.#attempting = true;
    const connecting = eventOf(peripheral, 'connect', times.connectMs, () => peripheral.connect());
    try {
      const [error] = await orAborted(connecting, signal);
      return error === undefined || error === null ? this.#lastHandle : undefined;
    } catch (error) {
      connecting.catch(() => undefined);
      peripheral.cancelConnect();
      controller.connectCancelled();
      if (this.#lastHandle !== undefined) controller.disconnect(this.#lastHandle);
      throw isTimeout(error) ? nobodyThere() : error;
    } finally {
      this.#attempting = false;
    }
  }

  /** What makes a link of a connection: its attributes, its MTU, and the server's word that it takes us. */
  async #open(peripheral: NoblePeripheral, handle: number, signal: AbortSignal): Promise<Link> {
    const { controller, times, noble } = this.#deps;
    const disconnect = (): void => controller.disconnect(handle);
    const link = new BleLink({ uuids: CHARACTERISTIC_UUIDS, timeoutMs: times.attMs, disconnect });
    this.#links.set(handle, link);
    void link.closed.then(() => forgetPeripheral(noble, peripheral.id));
    if (!controller.isOpen(handle)) this.disconnected(handle); // gone before we looked
    try {
      await orAborted(this.#enter(peripheral, link), signal);
      return link;
    } catch (error) {
      await link.close();
      const isGone = error instanceof FirebreakError && error.code === 'closed';
      throw isGone ? new FirebreakError('unreachable', 'the connection was lost while it was made') : error;
    }
  }

  async #enter(peripheral: NoblePeripheral, link: BleLink): Promise<void> {
    const found = await link.orClosed(this.#deps.times.connectMs, discover(peripheral));
    const byUuid = new Map(found.map((characteristic) => [characteristic.uuid, characteristic]));
    link.use(byUuid, (peripheral.mtu ?? DEFAULT_MTU) - ATT_HEADER_BYTES);
    if (byUuid.has(ADMISSION_UUID)) await link.readUuid(ADMISSION_UUID);
  }
}

function discover(peripheral: NoblePeripheral): Promise<readonly NobleCharacteristic[]> {
  return new Promise((resolve, reject) => {
    peripheral.discoverSomeServicesAndCharacteristics([SERVICE_UUID], [], (error, _, found) => {
      if (found !== undefined && found !== null && error === null) resolve(found);
      else reject(new FirebreakError('unreachable', 'whoever answered is no gateway: it lacks the service'));
    });
  });
}

function nobodyThere(): FirebreakError {
  return new FirebreakError('unreachable', 'nobody connectable answers at this address');
}

const isTimeout = (error: unknown): boolean => error instanceof FirebreakError && error.code === 'timeout';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
