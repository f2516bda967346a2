/** Making what was created, renamed or removed in a folder durable. */
import { open } from 'node:fs/promises';

/** Resolves when the names in the folder are on disk; the files themselves are synced apart. Rejects with the system's error. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}
