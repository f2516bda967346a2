/** Records that live as long as the process. */
import type { RecordStore } from './records.js';

export function memoryRecords(): RecordStore {
  const records = new Map<string, Uint8Array>();
  const keysUnder = (prefix: string) => [...records.keys()].filter((key) => key.startsWith(prefix)).sort();

  async function* list(prefix: string): AsyncGenerator<readonly [string, Uint8Array]> {
    for (const key of keysUnder(prefix)) {
      const value = records.get(key);
      if (value !== undefined) yield [key, value.slice()];
    }
  }

  return {
    get: async (key) => records.get(key)?.slice(),
    write: async (changes) => {
      for (const [key, value] of changes) {
        if (value === undefined) records.delete(key);
        else records.set(key, value.slice());
      }
    },
    list,
    lastKey: async (prefix) => keysUnder(prefix).at(-1),
    count: async (prefix) => keysUnder(prefix).length,
    close: async () => {},
  };
}
