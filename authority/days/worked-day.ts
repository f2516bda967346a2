/**
 * The newest day the authority worked on by a clock that was believed (clock-trust.ts). It is kept apart from the records,
 * which one process alone has open: a person who says that a clock is right may say it to any process of the authority.
 */
export interface WorkedDayStore {
  /** `undefined` when no day was noted, or what was noted cannot be read. */
  read(): Promise<number | undefined>;
  /** On disk, synced, when it resolves. */
  write(day: number): Promise<void>;
}

/** Lives as long as the process. */
export function memoryWorkedDay(): WorkedDayStore {
  let kept: number | undefined;
  return {
    read: async () => kept,
    write: async (day) => void (kept = day),
  };
}
