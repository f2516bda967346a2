/**
 * A controller as far as scanning and connecting go (Bluetooth Core 5.3, Vol 4, Part E, 7.8.10 to 7.8.13), at whose
 * connection attempts nobody ever answers.
 */
import { CONNECT_CANCELLED, OPCODE } from '../../../radio/ble/hci-packets.js';
import type { HciWire } from '../../../radio/ble/hci-wire.js';

const CREATE_CONNECTION_CANCEL = 0x200e;
const COMMAND_COMPLETE = 0x0e;
const COMMAND_STATUS = 0x0f;
const DISALLOWED = 0x0c;
/** Long enough for whatever a command returns. */
const RETURNED = Buffer.alloc(12, 9);

/** What becomes of one command: refused, lost, or done without an answer; undefined: done and answered. */
export type Fault = (
  opcode: number,
  firstByte: number | undefined,
) => 'refused' | 'lost' | 'unanswered' | undefined;

export const noFault: Fault = () => undefined;

export class ModelScan implements HciWire {
  isOn = false;
  isThere = true;
  /** Refuses to switch a scan to what it is already, as BlueZ's emulator does. */
  isStrict = true;
  fault: Fault = noFault;
  /** LE Create Connection came so often. */
  attempts = 0;
  #isConnecting = false;
  readonly #say: (packet: Buffer) => void;

  constructor(say: (packet: Buffer) => void) {
    this.#say = say;
  }

  isUp(): boolean {
    return this.isThere;
  }

  /** Pulled out: what it was doing is forgotten. */
  pull(): void {
    this.isThere = this.isOn = this.#isConnecting = false;
  }

  close(): void {}

  /** A connectable advert is heard. */
  hear(address: string): void {
    const from = Buffer.from(address, 'hex').reverse();
    const report = Buffer.of(2, 1, 0, 1, ...from, 3, 2, 1, 6, 0xc0);
    this.#say(Buffer.of(0x04, 0x3e, report.length, ...report));
  }

  send(bytes: Uint8Array): void {
    const packet = Buffer.from(bytes);
    if (!this.isThere || packet[0] !== 0x01) return;
    const [opcode, firstByte] = [packet.readUInt16LE(1), packet[4]];
    const fault = this.fault(opcode, firstByte);
    if (fault === 'lost') return;
    const status = fault === 'refused' ? DISALLOWED : this.#do(opcode, firstByte === 1);
    if (fault === 'unanswered') return;
    this.#answer(opcode, status);
    if (opcode !== CREATE_CONNECTION_CANCEL || status !== 0) return;
    this.#isConnecting = false;
    this.#later(CONNECT_CANCELLED);
  }

  #do(opcode: number, isOn: boolean): number {
    switch (opcode) {
      case OPCODE.reset:
        this.isOn = this.#isConnecting = false;
        return 0;
      case OPCODE.setScanParameters:
        return this.isOn ? DISALLOWED : 0;
      case OPCODE.setScanEnable:
        if (this.isStrict && this.isOn === isOn) return DISALLOWED;
        this.isOn = isOn;
        return 0;
      case OPCODE.createConnection:
        this.attempts += 1;
        this.#isConnecting = true;
        return 0;
      case CREATE_CONNECTION_CANCEL:
        return this.#isConnecting ? 0 : DISALLOWED;
      default:
        return 0;
    }
  }

  #answer(opcode: number, status: number): void {
    const of = [opcode & 0xff, opcode >> 8];
    if (opcode === OPCODE.createConnection)
      return this.#later(Buffer.of(0x04, COMMAND_STATUS, 4, status, 1, ...of));
    const body = Buffer.of(1, ...of, status, ...RETURNED);
    this.#later(Buffer.of(0x04, COMMAND_COMPLETE, body.length, ...body));
  }

  #later(packet: Buffer): void {
    setImmediate(() => (this.isThere ? this.#say(packet) : undefined));
  }
}
