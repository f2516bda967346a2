/**
 * A Bluetooth controller on the emulator that does nothing but listen, driven by bytes written here from Bluetooth Core 5.3,
 * Vol 4, Part E; it shares no code with radio/ble, which it is to judge.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface HeardAdvert {
  /** 0 connectable and undirected, 3 not connectable. */
  readonly eventType: number;
  /** 0 public, 1 random. */
  readonly addressType: number;
  /** As people write it, without separators. */
  readonly address: string;
  readonly data: Buffer;
  readonly rssi: number;
}

export interface Observer {
  readonly heard: readonly HeardAdvert[];
  close(): void;
}

const RESET = '01 03 0c 00';
const LE_SET_EVENT_MASK = '01 01 20 08 1f 00 00 00 00 00 00 00';
/** Passive, interval and window 10 ms, own address public, no filter (7.8.10). */
const LE_SET_SCAN_PARAMETERS = '01 0b 20 07 00 10 00 10 00 00 00';
/** On, every report (7.8.11). */
const LE_SET_SCAN_ENABLE = '01 0c 20 02 01 00';

export async function openObserver(socketPath: string): Promise<Observer> {
  const socket = connect(socketPath);
  const heard: HeardAdvert[] = [];
  let held = Buffer.alloc(0);
  let answers = 0;
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    for (let end = endOfPacket(held); end !== undefined && end <= held.length; end = endOfPacket(held)) {
      if (held[1] === 0x0e) answers += 1;
      heard.push(...advertsOf(held.subarray(0, end)));
      held = held.subarray(end);
    }
  });
  for (const command of [RESET, LE_SET_EVENT_MASK, LE_SET_SCAN_PARAMETERS, LE_SET_SCAN_ENABLE]) {
    const before = answers;
    socket.write(Buffer.from(command.replaceAll(' ', ''), 'hex'));
    await until(() => answers > before, socket);
  }
  return { heard, close: () => void socket.destroy() };
}

/** H4 (Vol 4, Part A): type, then for an event its code and one byte of length, for data its handle and two. */
function endOfPacket(bytes: Buffer): number | undefined {
  if (bytes[0] === 0x04) return bytes.length < 3 ? undefined : 3 + bytes.readUInt8(2);
  return bytes.length < 5 ? undefined : 5 + bytes.readUInt16LE(3);
}

/**
 * LE Advertising Report (7.7.65.2): LE meta 3e, length, subevent 02, number of reports (the emulator sends one), event type,
 * address type, address with its last byte first, data length, data, RSSI.
 */
function advertsOf(packet: Buffer): HeardAdvert[] {
  if (packet[0] !== 0x04 || packet[1] !== 0x3e || packet[3] !== 0x02) return [];
  if (packet[4] !== 1) throw new Error('more than one report in an event');
  const length = packet.readUInt8(13);
  return [
    {
      eventType: packet.readUInt8(5),
      addressType: packet.readUInt8(6),
      address: [...packet.subarray(7, 13)].reverse().map(hexByte).join(''),
      data: Buffer.from(packet.subarray(14, 14 + length)),
      rssi: packet.readInt8(14 + length),
    },
  ];
}

const hexByte = (byte: number): string => byte.toString(16).padStart(2, '0');

async function until(what: () => boolean, socket: Socket): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries > 500 || socket.destroyed) throw new Error('the observing controller does not answer');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
