/**
 * Someone with a radio who floods the air: a controller of the emulator, commanded as fast as asked. Half of the adverts
 * are well-formed beacons of nobody, half are malformed. (The emulator reports an advert once an enable: each takes four
 * HCI commands, Bluetooth Core, Vol 4, Part E, 7.8.4 to 7.8.9.)
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeAdvert } from '../../protocol/tag/beacon.js';
import { staticAddressOf } from '../../radio/static-address.js';

const TICK_MS = 10;

export interface Flood {
  readonly sent: () => number;
  stop(): Promise<void>;
}

/** `addressOf` gives the address of the next advert: always one, or another each time. */
export async function floodAir(
  emulatorSocket: string,
  perSecond: number,
  addressOf: () => string = () => staticAddressOf(randomBytes(6)),
): Promise<Flood> {
  const socket = connect(emulatorSocket);
  await once(socket, 'connect');
  socket.resume(); // the controller's answers
  socket.on('error', () => undefined); // the emulator may be stopped first
  socket.write(command(0x0c03, Buffer.alloc(0)));
  socket.write(command(0x2006, advertisingParameters()));
  let sent = 0;
  let isOver = false;
  const run = async (): Promise<void> => {
    const startMs = performance.now();
    while (!isOver && !socket.destroyed) {
      const due = ((performance.now() - startMs) / 1000) * perSecond;
      const burst: Buffer[] = [];
      for (; sent < due; sent += 1) burst.push(advertised(addressOf(), nextAdvert(sent)));
      if (burst.length > 0 && !socket.write(Buffer.concat(burst))) await once(socket, 'drain');
      await pause(TICK_MS);
    }
  };
  const running = run().catch(() => undefined); // the emulator is gone
  const stop = async (): Promise<void> => {
    isOver = true;
    await running;
    socket.destroy();
  };
  return { sent: () => sent, stop };
}

function nextAdvert(count: number): Uint8Array {
  const beacon = encodeAdvert({ txPowerDbm: -8, ephId: randomBytes(16), mac: randomBytes(6) });
  if (count % 2 === 0) return beacon;
  const kinds = [
    () => beacon.subarray(0, count % 31), // cut short
    () => randomBytes(count % 32),
    () => Uint8Array.from(beacon, (byte, at) => (at === 7 ? 0x7f : byte)), // of another version
    () => new Uint8Array(31).fill(0xff), // a structure longer than the advert
  ];
  return kinds[(count >> 1) % kinds.length]?.() ?? beacon;
}

/** Data, address, off and on: one advert. */
function advertised(address: string, advert: Uint8Array): Buffer {
  const data = Buffer.alloc(32);
  data[0] = advert.length;
  data.set(advert, 1);
  return Buffer.concat([
    command(0x200a, Buffer.of(0)),
    command(0x2005, Buffer.from(address, 'hex').reverse()),
    command(0x2008, data),
    command(0x200a, Buffer.of(1)),
  ]);
}

/** 20 ms, not connectable, random address, all channels, no filter. */
function advertisingParameters(): Buffer {
  return Buffer.of(0x20, 0, 0x20, 0, 0x03, 0x01, 0, 0, 0, 0, 0, 0, 0, 0x07, 0);
}

function command(opcode: number, parameters: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0x01, opcode & 0xff, opcode >> 8, parameters.length), parameters]);
}
