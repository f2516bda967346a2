/**
 * A controller as far as advertising goes (Bluetooth Core 5.3, Vol 4, Part E, 7.8.4 to 7.8.9): while it advertises it takes no
 * other address and no other parameters. It loses what it is told to lose.
 */
import type { HciWire } from '../../../radio/ble/hci-wire.js';
import { OPCODE } from '../../../radio/ble/hci-packets.js';

const COMMAND_COMPLETE = 0x0e;
const DISALLOWED = 0x0c;
const UNSPECIFIED = 0x1f;

export class ModelController implements HciWire {
  isOn = false;
  /** Takes no address until it is reset. */
  isStuck = false;
  /** Refuses to end advertising until it is reset. */
  willNotStop = false;
  resets = 0;
  wasLost = false;
  /** What went on the air, one line each time advertising was switched on or its data changed while it was. */
  readonly sent: string[] = [];
  readonly #answer: (packet: Buffer) => void;
  #address = '';
  #data = 0;
  #losing: { readonly opcode: number; readonly lost: 'command' | 'answer' } | undefined;

  constructor(answer: (packet: Buffer) => void) {
    this.#answer = answer;
  }

  /** The next command of this kind, or only its answer, does not arrive. */
  lose(opcode: number, lost: 'command' | 'answer'): void {
    this.#losing = { opcode, lost };
  }

  isUp(): boolean {
    return true;
  }

  close(): void {}

  send(bytes: Uint8Array): void {
    const packet = Buffer.from(bytes);
    const opcode = packet.readUInt16LE(1);
    const losing = this.#losing?.opcode === opcode ? this.#losing.lost : undefined;
    if (losing !== undefined) {
      this.#losing = undefined;
      this.wasLost = true;
    }
    if (losing === 'command') return;
    const status = this.#do(opcode, packet.subarray(4));
    if (losing === 'answer') return;
    const event = Buffer.of(0x04, COMMAND_COMPLETE, 4, 1, opcode & 0xff, opcode >> 8, status);
    setImmediate(() => this.#answer(event));
  }

  #do(opcode: number, parameters: Buffer): number {
    switch (opcode) {
      case OPCODE.reset:
        this.resets += 1;
        this.isOn = this.isStuck = this.willNotStop = false;
        return 0;
      case OPCODE.setRandomAddress:
        if (this.isOn || this.isStuck) return DISALLOWED;
        this.#address = parameters.subarray(5, 6).toString('hex');
        return 0;
      case OPCODE.setAdvertisingParameters:
        return this.isOn ? DISALLOWED : 0;
      case OPCODE.setAdvertisingData:
        this.#data = parameters.readUInt8(1);
        if (this.isOn) this.#send();
        return 0;
      case OPCODE.setAdvertiseEnable:
        if (this.willNotStop && parameters.readUInt8(0) === 0) return UNSPECIFIED;
        this.isOn = parameters.readUInt8(0) === 1;
        if (this.isOn) this.#send();
        return 0;
      default:
        return 0;
    }
  }

  #send(): void {
    this.sent.push(`${this.#address} ${this.#data}`);
  }
}
