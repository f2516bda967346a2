/** What we use of noble and bleno, in either family; checked once when they are loaded. */
import type { EventEmitter } from 'node:events';
import { z } from 'zod';

/** Events: stateChange(state), scanStart, scanStop, discover(NoblePeripheral), warning. */
export interface Noble extends EventEmitter {
  startScanning(serviceUuids: readonly string[], allowDuplicates: boolean): void;
  stopScanning(): void;
  /** The maintained family alone. */
  withBindings?(kind: 'hci', options: { readonly extended: boolean }): Noble;
}

/** Events: connect(error), disconnect(reason). */
export interface NoblePeripheral extends EventEmitter {
  readonly id: string;
  readonly connectable: boolean;
  readonly mtu: number | null;
  readonly state: string;
  connect(): void;
  cancelConnect(): void;
  disconnect(): void;
  discoverSomeServicesAndCharacteristics(
    services: readonly string[],
    characteristics: readonly string[],
    done: (
      error: unknown,
      services: unknown,
      characteristics: readonly NobleCharacteristic[] | undefined,
    ) => void,
  ): void;
}

/** Events: data(value, isNotification), write(error), notify(state, error). */
export interface NobleCharacteristic extends EventEmitter {
  readonly uuid: string;
  read(): void;
  write(value: Buffer, withoutResponse: boolean): void;
  subscribe(): void;
}

/** Events: stateChange(state), accept(address), disconnect(address), mtuChange(mtu). */
export interface Bleno extends EventEmitter {
  readonly state: string;
  setServices(services: readonly unknown[]): void;
  readonly PrimaryService: new (options: {
    readonly uuid: string;
    readonly characteristics: readonly unknown[];
  }) => unknown;
  readonly Characteristic: new (options: BlenoCharacteristicOptions) => unknown;
}

/** The maintained family passes the connection's handle before the other arguments. */
export interface BlenoCharacteristicOptions {
  readonly uuid: string;
  readonly properties: readonly string[];
  readonly onReadRequest?: (...args: readonly unknown[]) => void;
  readonly onWriteRequest?: (...args: readonly unknown[]) => void;
  readonly onSubscribe?: (...args: readonly unknown[]) => void;
  readonly onUnsubscribe?: () => void;
}

const withFunctions =
  (names: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof Reflect.get(value, name) === 'function');

export const noblePackage = z.custom<Noble>(withFunctions(['on', 'startScanning', 'stopScanning']));
export const blenoPackage = z.custom<Bleno>(
  withFunctions(['on', 'setServices', 'PrimaryService', 'Characteristic']),
);
