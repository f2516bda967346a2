/**
 * What noble and bleno ask of the controller, changed so that an adapter never says its own address: noble scans actively and
 * connects as the adapter itself, bleno advertises as the adapter itself, and none of it is a setting.
 * Layouts: Bluetooth Core 5.3, Vol 4, Part E, 7.8.4 (random address), 7.8.5 (advertising), 7.8.10 (scan), 7.8.12 (connect).
 */
import { randomBytes } from 'node:crypto';
import { OPCODE, commandPacket, opcodeOf } from './hci-packets.js';

/** Listening: windowMs out of every intervalMs. */
export interface ScanDuty {
  readonly intervalMs: number;
  readonly windowMs: number;
}

const PASSIVE = 0x00;
const OWN_ADDRESS_RANDOM = 0x01;
/** Interval and window come in units of this. */
const SLOT_MS = 0.625;
const HEAD = 4;

/** The commands to send for one of the library's. */
export function keepPrivate(packet: Buffer, duty: ScanDuty): Buffer[] {
  switch (opcodeOf(packet)) {
    case OPCODE.setScanParameters:
      return [randomAddress(freshAddress()), scanParameters(duty)];
    case OPCODE.createConnection:
      return [randomAddress(freshAddress()), withByte(packet, HEAD + 12, OWN_ADDRESS_RANDOM)];
    case OPCODE.setAdvertisingParameters:
      return [withByte(packet, HEAD + 5, OWN_ADDRESS_RANDOM)];
    default:
      return [packet];
  }
}

export function randomAddress(address: Uint8Array): Buffer {
  return commandPacket(OPCODE.setRandomAddress, address);
}

/** A new static random address (Vol 6, Part B, 1.3.2.1: the two highest bits set) in HCI's byte order. */
export function freshAddress(): Buffer {
  const address = randomBytes(6);
  address[5] = (address[5] ?? 0) | 0xc0;
  return address;
}

function scanParameters({ intervalMs, windowMs }: ScanDuty): Buffer {
  const parameters = Buffer.alloc(7);
  parameters.writeUInt8(PASSIVE, 0);
  parameters.writeUInt16LE(slots(intervalMs), 1);
  parameters.writeUInt16LE(slots(Math.min(windowMs, intervalMs)), 3);
  parameters.writeUInt8(OWN_ADDRESS_RANDOM, 5);
  return commandPacket(OPCODE.setScanParameters, parameters);
}

/** Whether advertising may be switched on: only when the controller was told the address to do it under. */
export class AdvertisingGuard {
  #hasAddress = false;
  #isPrivate = false;

  /** The controller forgot what it was told. */
  forget(): void {
    this.#hasAddress = false;
    this.#isPrivate = false;
  }

  /** Takes note of a command about to be sent; false when it must not be, for the adapter's own address would be told. */
  passes(packet: Buffer): boolean {
    const opcode = opcodeOf(packet);
    if (opcode === OPCODE.reset) this.forget();
    if (opcode === OPCODE.setRandomAddress) this.#hasAddress = true;
    if (opcode === OPCODE.setAdvertisingParameters) this.#isPrivate = packet[HEAD + 5] === OWN_ADDRESS_RANDOM;
    const isOn = opcode === OPCODE.setAdvertiseEnable && packet[HEAD] === 1;
    return !isOn || (this.#hasAddress && this.#isPrivate);
  }
}

/** Whole slots in the range these commands take: 2.5 ms to 10.24 s. */
export function slots(ms: number): number {
  return Math.min(0x4000, Math.max(0x0004, Math.round(ms / SLOT_MS)));
}

function withByte(packet: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(packet);
  if (at < changed.length) changed.writeUInt8(value, at);
  return changed;
}
