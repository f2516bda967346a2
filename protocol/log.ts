/** Where a room says what it did. No secret, no person and no tag number ever goes in. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** For tests and for parts run quietly. */
export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };
