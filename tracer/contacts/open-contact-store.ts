/** How a contact store comes to be: in memory, or in a folder that it goes on with. */
import { rm } from 'node:fs/promises';
import { FirebreakError } from '../../protocol/errors.js';
import { ContactStore } from './contact-store.js';
import { assembleIn, assembleInMemory, TABLE_ROWS } from './store-assembly.js';
import type { ContactStoreSettings, StoreAssembly } from './store-assembly.js';

/**
 * A store that keeps nothing beyond its process, and seals nothing. `firstVersion`: as in
 * {@link ContactStoreSettings}.
 */
export function memoryContactStore(tableRows = TABLE_ROWS, firstVersion = 1): ContactStore {
  const empty = async (): Promise<StoreAssembly> => assembleInMemory(tableRows);
  return new ContactStore(assembleInMemory(tableRows, firstVersion), { saved: empty, empty });
}

/**
 * Opens the store in this folder, or makes one there. What is damaged is said in the log and removed: the store
 * is empty then, to be filled from the ledger again. Throws `format` for a folder that another version of this
 * program wrote, and leaves it as it is; what the disk does, and the reason of the signal.
 */
export async function openContactStore(dir: string, settings: ContactStoreSettings): Promise<ContactStore> {
  const later = { ...settings, firstVersion: 1 };
  const empty = async (): Promise<StoreAssembly> => {
    await rm(dir, { recursive: true, force: true });
    return assembleIn(dir, later);
  };
  const saved = (how: ContactStoreSettings): Promise<StoreAssembly> =>
    assembleIn(dir, how).catch((error: unknown) => {
      if (!(error instanceof FirebreakError)) throw error;
      if (error.code === 'format') throw otherVersion(dir, error);
      if (error.code !== 'damaged') throw error;
      settings.log.warn('the contact store is damaged; it is filled from the ledger again', {
        why: error.message,
      });
      return empty();
    });
  return new ContactStore(await saved(settings), { saved: () => saved(later), empty });
}

const otherVersion = (dir: string, cause: FirebreakError): FirebreakError =>
  new FirebreakError(
    'format',
    `another version of this program wrote the contact store in ${dir} (${cause.message}): run that one, or remove the ` +
      'folder, and the contacts are read from the ledger again',
    { cause },
  );
