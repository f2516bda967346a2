import { NODE_DISK } from '../../../ledger/store/disk.js';
import { bucketKey, filterKey } from '../../../ledger/store/store-keys.js';

/** Opens files as the real disk does, and knows those that are logs of the database. */
export function watchedLogs() {
  const logs = new Set<number>();
  return {
    isLog: (fd: number): boolean => logs.has(fd),
    open: (path: string, flags: number, mode?: number): number => {
      const fd = NODE_DISK.open(path, flags, mode);
      if (path.endsWith('.log')) logs.add(fd);
      else logs.delete(fd);
      return fd;
    },
  };
}

/** The real disk, whose database takes no writes and tells of no buckets of the payload index while it is held. */
export function holdableDisk() {
  let release = (): void => undefined;
  let held: Promise<void> | undefined;
  const { open, isLog } = watchedLogs();
  const holdable = {
    /** Writes that came while it was held. */
    waiting: 0,
    /** How often the payload index was written to its end. */
    indexWritten: 0,
    /** How often a log of the database was synced. */
    logsSynced: 0,
    hold: () => void (held = new Promise((resolve) => (release = resolve))),
    release: () => release(),
    disk: {
      ...NODE_DISK,
      open,
      sync: async (fd: number) => {
        await NODE_DISK.sync(fd);
        if (isLog(fd)) holdable.logsSynced += 1;
      },
      database: (location: string, options: { readonly createIfMissing: boolean }) => {
        const db = NODE_DISK.database(location, options);
        const [getMany, batch] = [db.getMany.bind(db), db.batch.bind(db)];
        db.getMany = async (keys: Uint8Array[]) => {
          if (keys.some(isBucketKey)) await held;
          return getMany(keys);
        };
        db.batch = (async (rows: { readonly key: Uint8Array }[]) => {
          holdable.waiting += 1;
          await held;
          await batch(rows as never);
          if (rows.some(isFilterKey)) holdable.indexWritten += 1;
        }) as never;
        return db;
      },
    },
  };
  return holdable;
}

const isFilterKey = ({ key }: { readonly key: Uint8Array }): boolean => key[0] === filterKey(0)[0];
const isBucketKey = (key: Uint8Array): boolean => key[0] === bucketKey(0, 0)[0];
