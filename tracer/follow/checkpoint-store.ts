/**
 * Where a follower keeps the last checkpoint it verified, so that a log which was rewritten while it was away
 * is refused. Saved is durable: a crash leaves the old one or the new one whole.
 */
export interface CheckpointStore {
  /** The signed note last saved. */
  load(): Promise<string | undefined>;
  save(checkpoint: string): Promise<void>;
}

/** For one run, when nothing is to be kept. */
export function memoryCheckpointStore(): CheckpointStore {
  let kept: string | undefined;
  return {
    load: async () => kept,
    save: async (checkpoint) => {
      kept = checkpoint;
    },
  };
}
