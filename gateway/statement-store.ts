/**
 * Where a gateway keeps the authority's word, so that after a restart without a network it can say hello, and still
 * knows when it may not (kept-word.ts).
 */
export interface StatementStore {
  /** What was saved last; undefined when nothing was. */
  load(): Promise<Uint8Array | undefined>;
  /** Durable, old or new whole, when it resolves. */
  save(statements: Uint8Array): Promise<void>;
}

/** A number that never goes back, for presence reports: the gateway's own seq. */
export interface SequenceStore {
  /** The next number; durably taken when it resolves. */
  next(): Promise<number>;
}

/** Where a gateway keeps, sealed, whom it heard and has not reported (presence-kept.ts). */
export interface PresenceStore {
  /** What was saved last; undefined when nothing was. */
  load(): Promise<Uint8Array | undefined>;
  /** Durable, old or new whole, when it resolves. */
  save(reports: Uint8Array): Promise<void>;
}
