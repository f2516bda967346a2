/** Serves the gateway's attributes through bleno, which holds one client at a time. */
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import type { Characteristic, GattServer, ServerPeer, ServerSession } from '../contract.js';
import { BlePeer } from './ble-peer.js';
import type { BleTimes } from './ble-times.js';
import type { Controller } from './controller.js';
import {
  ADMISSION_UUID,
  ATT_INVALID_LENGTH,
  ATT_INVALID_OFFSET,
  ATT_SUCCESS,
  CHARACTERISTIC_UUIDS,
  SERVICE_UUID,
  attCodeOf,
} from './gatt-profile.js';
import type { Bleno } from './libraries.js';

type Accept = (peer: ServerPeer) => ServerSession | Promise<ServerSession>;

export interface GattServerDeps {
  readonly bleno: Bleno;
  readonly controller: Controller;
  readonly times: BleTimes;
  readonly log: Log;
}

const PROPERTIES: readonly (readonly [Characteristic, readonly string[]])[] = [
  ['hello', ['read']],
  ['upload', ['write']],
  ['receipt', ['read', 'notify']],
  ['refresh', ['read', 'write']],
];
const MAX_WRITE_BYTES = 512;

export class BleGattServer implements GattServer {
  readonly #deps: GattServerDeps;
  #accept: Accept | undefined;
  #peer: BlePeer | undefined;

  constructor(deps: GattServerDeps) {
    this.#deps = deps;
    deps.bleno.on('mtuChange', (mtu: unknown) => {
      if (typeof mtu === 'number') this.#peer?.mtuChanged(mtu);
    });
    deps.bleno.setServices([this.#service()]);
  }

  async start(accept: Accept): Promise<void> {
    if (this.#accept !== undefined) throw new FirebreakError('exists', 'this radio serves already');
    this.#accept = accept;
  }

  async stop(): Promise<void> {
    this.#accept = undefined;
    if (this.#peer !== undefined) this.#deps.controller.disconnect(this.#peer.handle);
  }

  connected(handle: number): void {
    this.#peer?.ended(); // a controller that forgot to say so
    const disconnect = (): void => this.#deps.controller.disconnect(handle);
    const accept: Accept = (peer) => {
      if (this.#accept === undefined) throw new FirebreakError('unreachable', 'nobody serves here');
      return this.#accept(peer);
    };
    this.#peer = new BlePeer({ handle, idleMs: this.#deps.times.idleMs, accept, disconnect });
  }

  disconnected(handle: number): void {
    if (this.#peer?.handle !== handle) return;
    this.#peer.ended();
    this.#peer = undefined;
  }

  #service(): unknown {
    const { bleno } = this.#deps;
    const admission = new bleno.Characteristic({
      uuid: ADMISSION_UUID,
      properties: ['read'],
      onReadRequest: (...args) => this.#read(args, (peer) => peer.admit().then(() => Uint8Array.of(1))),
    });
    const characteristics = PROPERTIES.map(([name, properties]) => this.#characteristic(name, properties));
    return new bleno.PrimaryService({ uuid: SERVICE_UUID, characteristics: [...characteristics, admission] });
  }

  #characteristic(name: Characteristic, properties: readonly string[]): unknown {
    return new this.#deps.bleno.Characteristic({
      uuid: CHARACTERISTIC_UUIDS[name],
      properties,
      onReadRequest: (...args) => this.#read(args, (peer, offset) => peer.onRead(name, offset)),
      onWriteRequest: (...args) => this.#write(args, name),
      onSubscribe: (...args) => {
        const push = args.find(isCallback);
        this.#peer?.subscribed(name, push);
      },
      onUnsubscribe: () => this.#peer?.subscribed(name, undefined),
    });
  }

  /** Arguments: [handle,] offset, callback(code, value). */
  #read(
    args: readonly unknown[],
    work: (peer: BlePeer, offset: number) => Promise<Uint8Array | undefined>,
  ): void {
    const [offset, callback] = args.slice(-2);
    const peer = this.#peer;
    if (peer === undefined || typeof offset !== 'number' || !isCallback(callback)) return;
    this.#serve(
      peer,
      () => work(peer, offset),
      (outcome) => {
        if (outcome instanceof Error) callback(attCodeOf(outcome), null);
        else if (outcome === undefined) callback(ATT_INVALID_OFFSET, null);
        else callback(ATT_SUCCESS, Buffer.from(outcome));
      },
    );
  }

  /** Arguments: [handle,] value, offset, withoutResponse, callback(code). */
  #write(args: readonly unknown[], name: Characteristic): void {
    const [value, offset, , callback] = args.slice(-4);
    const peer = this.#peer;
    if (peer === undefined || !(value instanceof Uint8Array) || !isCallback(callback)) return;
    if (offset !== 0) return void callback(ATT_INVALID_OFFSET);
    if (value.length > MAX_WRITE_BYTES) return void callback(ATT_INVALID_LENGTH);
    const sent = Uint8Array.from(value);
    this.#serve(
      peer,
      () => peer.onWrite(name, sent),
      (outcome) => {
        callback(outcome instanceof Error ? attCodeOf(outcome) : ATT_SUCCESS);
      },
    );
  }

  #serve<T>(peer: BlePeer, work: () => Promise<T>, answer: (outcome: T | Error) => void): void {
    peer.serve(work, answer).catch((error: unknown) => {
      this.#deps.log.warn('bleno could not answer a client', { reason: String(error) });
      void peer.disconnect();
    });
  }
}

const isCallback = (value: unknown): value is (...args: readonly unknown[]) => void =>
  typeof value === 'function';
