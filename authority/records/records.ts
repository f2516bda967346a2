/**
 * What the authority must remember between runs: small records under text keys. None is secret, but some tell which tag
 * numbers exist. Implementations: records-memory.ts, records-level.ts; test/authority/records.test.ts holds for both.
 */
export interface RecordStore {
  get(key: string): Promise<Uint8Array | undefined>;
  /** All of the changes or none; on disk, synced, when it resolves. An `undefined` value removes the record. */
  write(changes: readonly RecordChange[]): Promise<void>;
  /** The records whose key begins with `prefix`, in the order of their keys (ASCII); of what is written meanwhile, some may be among them. */
  list(prefix: string): AsyncIterable<readonly [key: string, value: Uint8Array]>;
  /** The greatest key that begins with `prefix`. */
  lastKey(prefix: string): Promise<string | undefined>;
  /** How many keys begin with `prefix`. */
  count(prefix: string): Promise<number>;
  close(): Promise<void>;
}

export type RecordChange = readonly [key: string, value: Uint8Array | undefined];
