/** Where a gateway keeps the newest day-key statements, so that it can say hello after a restart without a network. */
export interface StatementStore {
  /** Statements as they came, joined (protocol.md §9); undefined when none was kept. */
  load(): Promise<Uint8Array | undefined>;
  /** Durable, old or new whole, when it resolves. */
  save(statements: Uint8Array): Promise<void>;
}

/** A number that never goes back, for presence reports: the gateway's own seq. */
export interface SequenceStore {
  /** The next number; durably taken when it resolves. */
  next(): Promise<number>;
}
