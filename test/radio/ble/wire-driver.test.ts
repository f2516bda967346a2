/**
 * A kernel's adapter that goes and comes back. No test machine has one to pull out: the socket here does as the kernel does
 * (Linux, net/bluetooth/hci_sock.c, hci_sock_dev_event), and as was seen of these packages (abandonware/noble, issue 53).
 */
import { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { silentLog } from '../../../protocol/log.js';
import { Controller } from '../../../radio/ble/controller.js';
import { OPCODE } from '../../../radio/ble/hci-packets.js';
import { DriverWire } from '../../../radio/ble/wire-driver.js';

const EBADFD = 77;

class Adapter {
  isThere = true;
  readonly heard: number[] = [];
  readonly sockets: Socket[] = [];

  open(): Socket {
    const socket = new Socket(this);
    this.sockets.push(socket);
    return socket;
  }

  /** Pulled out: whatever is bound to it is cut off for good. */
  pull(): void {
    this.isThere = false;
    for (const socket of this.sockets) socket.isBound = false;
  }
}

class Socket extends EventEmitter {
  isBound = true;
  isStopped = false;
  readonly #adapter: Adapter;

  constructor(adapter: Adapter) {
    super();
    this.#adapter = adapter;
  }

  bindRaw(): void {}
  start(): void {}
  setFilter(): void {}
  getDeviceList = (): unknown => [];
  isDevUp = (): boolean => this.#adapter.isThere; // by its number, whatever the socket is bound to
  stop = (): void => void (this.isStopped = true);

  write(packet: Buffer): void {
    if (this.isBound) this.#adapter.heard.push(packet.length);
    else this.emit('error', Object.assign(new Error('File descriptor in bad state'), { errno: EBADFD }));
  }
}

function plugged() {
  const adapter = new Adapter();
  const told: boolean[] = [];
  const events = { onPacket: vi.fn(), onUp: (isUp: boolean) => void told.push(isUp), onError: vi.fn() };
  const wire = new DriverWire(adapter.open(), events, 'abandonware', () => adapter.open());
  onTestFinished(() => wire.close());
  return { adapter, wire, told, events };
}

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
});

describe('an adapter of the kernel', () => {
  it('that is pulled out and put back is heard and written to again', () => {
    const { adapter, wire, told, events } = plugged();
    adapter.pull();
    vi.advanceTimersByTime(5_000);
    expect([wire.isUp(), told]).toEqual([false, [false]]);
    adapter.isThere = true;
    vi.advanceTimersByTime(1_000);
    expect([wire.isUp(), told]).toEqual([true, [false, true]]);
    wire.send(new Uint8Array(7));
    adapter.sockets.at(-1)?.emit('data', Buffer.of(4));
    expect(adapter.heard).toEqual([7]);
    expect(events.onPacket).toHaveBeenCalledTimes(1);
    expect(adapter.sockets.map(({ isStopped }) => isStopped)).toEqual([true, false]);
  });

  it('that resets itself between two looks is down for long enough to be seen, and then opened anew', () => {
    const { adapter, wire, told } = plugged();
    adapter.pull();
    adapter.isThere = true;
    wire.send(new Uint8Array(7));
    expect(wire.isUp()).toBe(false);
    vi.advanceTimersByTime(2_000);
    expect(told).toEqual([false]);
    vi.advanceTimersByTime(1_000);
    expect(told).toEqual([false, true]);
    wire.send(new Uint8Array(9));
    expect(adapter.heard).toEqual([9]);
  });

  it('is waited for when it goes again while it is opened', () => {
    const adapter = new Adapter();
    let failures = 1;
    const events = { onPacket: vi.fn(), onUp: vi.fn(), onError: vi.fn() };
    const wire = new DriverWire(adapter.open(), events, 'stoprocent', () => {
      if (failures-- > 0) throw new Error('no such device');
      return adapter.open();
    });
    onTestFinished(() => wire.close());
    adapter.pull();
    vi.advanceTimersByTime(1_000);
    adapter.isThere = true;
    vi.advanceTimersByTime(3_000);
    expect(wire.isUp()).toBe(false);
    vi.advanceTimersByTime(1_000);
    expect(wire.isUp()).toBe(true);
  });
});

it('a process without rights is told so, also by packages that give the number of the error alone', async () => {
  const controller = new Controller(silentLog, { intervalMs: 100, windowMs: 30 });
  const refused = Object.assign(new Error('Operation not permitted'), { errno: constants.errno.EPERM });
  controller.attach({ isUp: () => true, close: vi.fn(), send: () => controller.wireFailed(refused) });
  const asked = controller.command(OPCODE.reset, new Uint8Array(0));
  await expect(asked).rejects.toMatchObject({ code: 'permission' });
});
