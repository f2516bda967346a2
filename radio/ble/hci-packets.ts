/**
 * HCI packets as far as we write or read them ourselves; each begins with its H4 type byte. Integers little-endian.
 * Source: Bluetooth Core 5.3, Vol 4, Part A (H4) and Part E (commands 7.8, events 7.7).
 */

export const PACKET_COMMAND = 0x01;
export const PACKET_ACL = 0x02;
export const PACKET_EVENT = 0x04;

/** OGF << 10 | OCF. */
export const OPCODE = {
  disconnect: 0x0406,
  reset: 0x0c03,
  readAddress: 0x1009,
  setRandomAddress: 0x2005,
  setAdvertisingParameters: 0x2006,
  setAdvertisingData: 0x2008,
  setScanResponse: 0x2009,
  setAdvertiseEnable: 0x200a,
  setScanParameters: 0x200b,
  setScanEnable: 0x200c,
  createConnection: 0x200d,
} as const;

const EVENT_DISCONNECTED = 0x05;
const EVENT_COMMAND_COMPLETE = 0x0e;
const EVENT_COMMAND_STATUS = 0x0f;
const EVENT_LE_META = 0x3e;
const LE_CONNECTED = 0x01;
const LE_ADVERTISING_REPORT = 0x02;
const LE_ENHANCED_CONNECTED = 0x0a;

export function commandPacket(opcode: number, parameters: Uint8Array): Buffer {
  const head = Buffer.of(PACKET_COMMAND, opcode & 0xff, opcode >> 8, parameters.length);
  return Buffer.concat([head, parameters]);
}

/** The opcode of a command packet. */
export function opcodeOf(packet: Buffer): number {
  return packet.length >= 3 ? packet.readUInt16LE(1) : 0;
}

export type HciEvent =
  /** A command was done or taken up; `parameters` begin with the status. */
  | { readonly kind: 'answered'; readonly opcode: number; readonly parameters: Buffer }
  | {
      readonly kind: 'connected';
      readonly status: number;
      readonly handle: number;
      readonly isServer: boolean;
    }
  | { readonly kind: 'disconnected'; readonly status: number; readonly handle: number }
  | { readonly kind: 'adverts'; readonly reports: readonly AdvertReport[] }
  | { readonly kind: 'other' };

export interface AdvertReport {
  /** 0 connectable, 1 directed, 2 scannable, 3 neither, 4 scan response. */
  readonly type: number;
  readonly isRandom: boolean;
  /** As a RadioAddress. */
  readonly address: string;
  readonly advert: Uint8Array;
  /** dBm; undefined where the controller gives 127, "not available". */
  readonly rssiDbm: number | undefined;
  /** The report alone, as an event packet. */
  readonly packet: Buffer;
}

const RSSI_UNAVAILABLE = 127;
const OTHER: HciEvent = { kind: 'other' };

/** Reads an event packet; one cut short is `other`, for a controller's slip is no reason to stop. */
export function readEvent(packet: Buffer): HciEvent {
  const body = packet.subarray(3);
  const code = packet[1];
  if (code === EVENT_COMMAND_COMPLETE && body.length >= 4) {
    return { kind: 'answered', opcode: body.readUInt16LE(1), parameters: body.subarray(3) };
  }
  if (code === EVENT_COMMAND_STATUS && body.length >= 4) {
    return { kind: 'answered', opcode: body.readUInt16LE(2), parameters: body.subarray(0, 1) };
  }
  if (code === EVENT_DISCONNECTED && body.length >= 4) {
    return { kind: 'disconnected', status: body.readUInt8(0), handle: body.readUInt16LE(1) };
  }
  return code === EVENT_LE_META ? readLeEvent(body) : OTHER;
}

function readLeEvent(body: Buffer): HciEvent {
  const code = body[0];
  if ((code === LE_CONNECTED || code === LE_ENHANCED_CONNECTED) && body.length >= 5) {
    const handle = body.readUInt16LE(2) & 0x0fff;
    return { kind: 'connected', status: body.readUInt8(1), handle, isServer: body.readUInt8(4) === 1 };
  }
  return code === LE_ADVERTISING_REPORT ? { kind: 'adverts', reports: readReports(body) } : OTHER;
}

/** Type, address type, address 6, length, data, RSSI, for each report; what follows a malformed one is dropped. */
function readReports(body: Buffer): AdvertReport[] {
  const reports: AdvertReport[] = [];
  let at = 2;
  for (let left = body[1] ?? 0; left > 0 && at + 10 <= body.length; left--) {
    const dataLength = body.readUInt8(at + 8);
    const endOfReport = at + 10 + dataLength;
    if (dataLength > 31 || endOfReport > body.length) break;
    const rssi = body.readInt8(endOfReport - 1);
    reports.push({
      type: body.readUInt8(at),
      isRandom: body.readUInt8(at + 1) === 1,
      address: Buffer.from(body.subarray(at + 2, at + 8))
        .reverse()
        .toString('hex'),
      advert: Uint8Array.from(body.subarray(at + 9, at + 9 + dataLength)),
      rssiDbm: rssi === RSSI_UNAVAILABLE ? undefined : rssi,
      packet: eventPacket(EVENT_LE_META, LE_ADVERTISING_REPORT, 1, ...body.subarray(at, endOfReport)),
    });
    at = endOfReport;
  }
  return reports;
}

function eventPacket(code: number, ...body: readonly number[]): Buffer {
  return Buffer.of(PACKET_EVENT, code, body.length, ...body);
}

/** Disconnection Complete with the reason "connection timeout", for links that a lost controller took with it. */
export function disconnectedEvent(handle: number): Buffer {
  const CONNECTION_TIMEOUT = 0x08;
  return eventPacket(EVENT_DISCONNECTED, 0, handle & 0xff, handle >> 8, CONNECTION_TIMEOUT);
}

/** LE Connection Complete with the status of a cancelled attempt, for a controller that does not report it. */
export const CONNECT_CANCELLED = eventPacket(
  EVENT_LE_META,
  LE_CONNECTED,
  0x02,
  ...new Array<number>(17).fill(0),
);

/** Command Complete: one command more may come, and this one went well. */
export function doneEvent(opcode: number): Buffer {
  return eventPacket(EVENT_COMMAND_COMPLETE, 1, opcode & 0xff, opcode >> 8, 0);
}

/** The six bytes of a RadioAddress in HCI's order, last one first. */
export function addressBytes(address: string): Buffer {
  return Buffer.from(address, 'hex').reverse();
}
