/** The HCI socket that noble and bleno are given in place of the one they would open themselves. */
import { EventEmitter } from 'node:events';
import type { Controller } from './controller.js';

export type HciSocketClass = new () => EventEmitter;

/** A class as the libraries construct it: which controller it leads to is decided before the library is loaded. */
export function hciSocketFor(controller: Controller): HciSocketClass {
  return class HciSocket extends EventEmitter {
    /** bleno opens further sockets to the kernel's management, for keys of pairings, of which there are none. */
    #isControl = false;

    bindRaw(): number {
      return 0; // chosen and opened already
    }

    bindControl(): number {
      this.#isControl = true;
      return 0;
    }

    bindUser(): number {
      return 0;
    }

    start(): void {
      if (!this.#isControl) controller.onPacket = (packet) => void this.emit('data', packet);
    }

    stop(): void {
      if (!this.#isControl) controller.onPacket = () => undefined;
    }

    isDevUp(): boolean {
      return controller.isUp();
    }

    setFilter(): void {
      // every event and all data, on every wire
    }

    reset(): void {
      // the library resets by an HCI command where it needs to
    }

    write(packet: Buffer): void {
      if (!this.#isControl) controller.fromLibrary(packet);
    }
  };
}
