/** The client's side of one connection, over noble. */
import type { EventEmitter } from 'node:events';
import { FirebreakError } from '../../protocol/errors.js';
import { MAX_ATTRIBUTE_BYTES } from '../contract.js';
import type { Characteristic, Link } from '../contract.js';
import { Lane } from '../lane.js';
import { checkSize, closedError } from '../link-rules.js';
import { errorOfAtt } from './gatt-profile.js';
import type { NobleCharacteristic } from './libraries.js';
import { within } from './settle.js';

export interface LinkDeps {
  readonly uuids: Readonly<Record<Characteristic, string>>;
  readonly timeoutMs: number;
  /** Ends the connection; ended() follows when it is. */
  readonly disconnect: () => void;
}

const ATT_ERROR_RESPONSE = 0x01;

export class BleLink implements Link {
  readonly closed: Promise<void>;
  readonly #deps: LinkDeps;
  readonly #calls = new Lane();
  #resolveClosed: () => void = () => undefined;
  #isEnded = false;
  #payloadBytes = 0;
  #characteristics: ReadonlyMap<string, NobleCharacteristic> = new Map();
  /** Fails the call under way. */
  #fail: (error: Error) => void = () => undefined;

  constructor(deps: LinkDeps) {
    this.#deps = deps;
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
  }

  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** What the server has, by UUID, and what one packet holds. */
  use(characteristics: ReadonlyMap<string, NobleCharacteristic>, payloadBytes: number): void {
    this.#characteristics = characteristics;
    this.#payloadBytes = payloadBytes;
  }

  /** The promise; `closed` when the connection ends before it, `timeout` after that many wall ms. */
  orClosed<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
    const ended = this.closed.then(() => Promise.reject(closedError()));
    return within(timeoutMs, 'the other side did not answer', Promise.race([promise, ended]));
  }

  async read(characteristic: Characteristic): Promise<Uint8Array> {
    return this.readUuid(this.#deps.uuids[characteristic]);
  }

  /** As read(), for a characteristic beside those of the contract. */
  async readUuid(uuid: string): Promise<Uint8Array> {
    const [value] = await this.#call(uuid, 'data', (it) => it.read(), isAnswer);
    if (value instanceof Uint8Array && value.length <= MAX_ATTRIBUTE_BYTES) return Uint8Array.from(value);
    throw new FirebreakError('unreachable', 'the server sent what is no attribute');
  }

  async write(characteristic: Characteristic, value: Uint8Array): Promise<void> {
    checkSize(value, this.payloadBytes);
    const sent = Buffer.from(value);
    await this.#call(this.#deps.uuids[characteristic], 'write', (it) => it.write(sent, false));
  }

  async subscribe(characteristic: Characteristic, onNotify: (value: Uint8Array) => void): Promise<void> {
    const uuid = this.#deps.uuids[characteristic];
    const onData = (value: unknown, isNotification: unknown): void => {
      if (isNotification === true && value instanceof Uint8Array) this.#notified(onNotify, value);
    };
    this.#characteristics.get(uuid)?.removeAllListeners('data').on('data', onData);
    await this.#call(uuid, 'notify', (it) => it.subscribe());
  }

  async close(): Promise<void> {
    if (this.#isEnded) return;
    this.#deps.disconnect();
    await this.closed;
  }

  /** The connection is gone. */
  ended(): void {
    this.#isEnded = true;
    this.#fail(closedError());
    this.#resolveClosed();
  }

  /** A PDU of the attribute protocol from the server: noble keeps an error to itself, whoever asked waits for ever. */
  attribute(pdu: Buffer): void {
    if (pdu[0] === ATT_ERROR_RESPONSE) this.#fail(errorOfAtt(pdu[4] ?? 0));
  }

  /** A client that throws at a notification loses its connection, as on the simulated airs. */
  #notified(onNotify: (value: Uint8Array) => void, value: Uint8Array): void {
    try {
      onNotify(Uint8Array.from(value));
    } catch {
      this.#deps.disconnect();
    }
  }

  #call(
    uuid: string,
    event: string,
    begin: (characteristic: NobleCharacteristic) => void,
    isIt: (args: readonly unknown[]) => boolean = () => true,
  ): Promise<readonly unknown[]> {
    return this.#calls.run(async () => {
      if (this.#isEnded) throw closedError();
      const characteristic = this.#characteristics.get(uuid);
      if (characteristic === undefined)
        throw new FirebreakError('unreachable', 'the server lacks the attribute');
      const answer = this.#answer(characteristic, event, isIt);
      try {
        begin(characteristic);
        return await within(this.#deps.timeoutMs, 'the other side did not answer', answer.promise);
      } catch (error) {
        if (error instanceof FirebreakError && error.code === 'timeout') this.#deps.disconnect();
        throw error;
      } finally {
        answer.release();
      }
    });
  }

  /** Whichever is first: the event, an attribute error, the end of the connection. */
  #answer(emitter: EventEmitter, event: string, isIt: (args: readonly unknown[]) => boolean) {
    let listener: (...args: unknown[]) => void = () => undefined;
    const promise = new Promise<readonly unknown[]>((resolve, reject) => {
      this.#fail = reject;
      listener = (...args) => (isIt(args) ? resolve(args) : undefined);
    });
    emitter.on(event, listener);
    const release = (): void => {
      this.#fail = () => undefined;
      emitter.removeListener(event, listener);
    };
    return { promise, release };
  }
}

const isAnswer = (args: readonly unknown[]): boolean => args[1] !== true; // not a notification
