/** The parts of a courier that a gateway needs (courier/courier.ts). */
import type { BatchItem } from '../protocol/mqtt/batch.js';

export interface EntryPost {
  /** On disk when it resolves. Throws `full`. */
  post(entries: readonly BatchItem[]): Promise<unknown>;
}

export interface GatewayCourier extends EntryPost {
  /** What is received at that time, unix ms, or later will never be certified. */
  noCertificateFrom(timeMs: number): void;
}
