/** A store whose next commit fails: not stored, or stored all the same. Nobody can tell the two apart. */
import type { Store } from '../../ledger/store/store.js';

export type Fault = 'not stored' | 'stored';

export function faultyStore(store: Store, fault: () => Fault | undefined): Store {
  return {
    state: () => store.state(),
    gateways: () => store.gateways(),
    days: () => store.days(),
    removePayloads: (day, signal) => store.removePayloads(day, signal),
    lookup: (wanted) => store.lookup(wanted),
    bundle: (index, width) => store.bundle(index, width),
    tile: (level, index) => store.tile(level, index),
    payloads: (hashes) => store.payloads(hashes),
    close: () => store.close(),
    commit: async (commit) => {
      const failing = fault();
      if (failing !== 'not stored') await store.commit(commit);
      if (failing !== undefined) throw new Error('the disk did not answer');
    },
  };
}
