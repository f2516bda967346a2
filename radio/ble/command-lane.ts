/**
 * HCI commands of the library and of our own, one under way at a time: the next is sent when the controller has answered,
 * which is what a controller that takes one command at a time needs (Bluetooth Core, Vol 4, Part E, 4.4).
 */
import { FirebreakError } from '../../protocol/errors.js';
import { opcodeOf } from './hci-packets.js';

const MAX_WAITING = 128;
const ANSWER_MS = 2_000;

interface Waiting {
  readonly packet: Buffer;
  readonly isOurs: boolean;
  readonly settle: (answer: Buffer | FirebreakError) => void;
}

export class CommandLane {
  /** False when the packet must not be sent. */
  readonly #send: (packet: Buffer) => boolean;
  readonly #waiting: Waiting[] = [];
  #underway: Waiting | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (packet: Buffer) => boolean) {
    this.#send = send;
  }

  /** A command of the library, which sees the answer itself. Resolves and rejects as ask(). */
  pass(packet: Buffer): Promise<Buffer> {
    return this.#take(packet, false);
  }

  /**
   * A command of ours: the return parameters, the status first. Rejects with `timeout`, `closed` or `full`, and with
   * `unreachable` or `permission` when it was not sent.
   */
  ask(packet: Buffer): Promise<Buffer> {
    return this.#take(packet, true);
  }

  #take(packet: Buffer, isOurs: boolean): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= MAX_WAITING) {
        return reject(new FirebreakError('full', `${MAX_WAITING} commands already wait for the controller`));
      }
      const settle = (answer: Buffer | FirebreakError): void =>
        answer instanceof FirebreakError ? reject(answer) : resolve(answer);
      this.#waiting.push({ packet, isOurs, settle });
      this.#next();
    });
  }

  /** Whether the controller has a command with this opcode to answer. */
  isUnderway(opcode: number): boolean {
    return this.#underway !== undefined && opcodeOf(this.#underway.packet) === opcode;
  }

  /** The controller answered; whether the answer is to a command of ours, which the library need not see. */
  answered(opcode: number, parameters: Buffer): boolean {
    const underway = this.#underway;
    if (underway === undefined || opcodeOf(underway.packet) !== opcode) return false;
    this.#finish(parameters);
    return underway.isOurs;
  }

  /** The controller went away: nothing that waits will be answered. */
  clear(): void {
    const gone = new FirebreakError('closed', 'the Bluetooth controller is gone');
    for (const { settle } of this.#waiting.splice(0)) settle(gone);
    if (this.#underway !== undefined) this.#finish(gone);
  }

  /** The host refused to send the command under way. */
  fail(error: FirebreakError): void {
    if (this.#underway !== undefined) this.#finish(error);
  }

  #next(): void {
    if (this.#underway !== undefined) return;
    this.#underway = this.#waiting.shift();
    if (this.#underway === undefined) return;
    this.#timer = setTimeout(
      () => this.#finish(new FirebreakError('timeout', 'the Bluetooth controller does not answer')),
      ANSWER_MS,
    );
    if (this.#send(this.#underway.packet)) return;
    this.#finish(new FirebreakError('unreachable', 'the Bluetooth controller is not ready for this command'));
  }

  #finish(answer: Buffer | FirebreakError): void {
    clearTimeout(this.#timer);
    const settle = this.#underway?.settle;
    this.#underway = undefined;
    settle?.(answer);
    this.#next();
  }
}
