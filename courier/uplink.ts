/**
 * A writer's way to the broker. It carries; it keeps nothing: what must not be lost is in the spool until the ledger's
 * receipt. Implementation: uplink-mqtt.ts.
 */
export interface Uplink {
  readonly isOnline: boolean;
  /**
   * Why it is offline, in words for a person; undefined while it is online, and before the first connection
   * has failed.
   */
  readonly trouble: string | undefined;
  /**
   * Resolves when the broker took the batch (PUBACK), which is not yet the ledger's receipt. Rejects
   * `unreachable`, `timeout`, `full`.
   */
  publishBatch(batch: Uint8Array): Promise<void>;
  /** Retained: whoever subscribes later gets the newest. Rejects `unreachable`, `timeout`, `full`. */
  publishRetained(topic: string, payload: Uint8Array): Promise<void>;
  /** Says how the writer is, retained. Never rejects, and waits a moment at most: it is informational. */
  publishStatus(status: string): Promise<void>;
  /** The one listener to this writer's receipts. */
  onReceipt(listener: (receipt: Uint8Array) => void): void;
  /**
   * The one listener to a topic, now and after each reconnect. Rejects `permission` when the broker does not
   * grant it.
   */
  subscribe(topic: string, listener: (payload: Uint8Array) => void): Promise<void>;
  /** Called whenever the connection is up (again), its subscriptions in place. At once when it is up now. */
  onOnline(listener: () => void): void;
  close(): Promise<void>;
}
