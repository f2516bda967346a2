/**
 * Secret keys on disk: 64 hex digits and a newline, mode 0600, one key a file. A file that others may read is refused
 * rather than used, and no message ever shows what is inside.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fromHex, toHex } from '../../protocol/bytes.js';
import { systemReason } from '../../host/system-words.js';
import { FirebreakError } from '../../protocol/errors.js';
import { syncFolder } from '../../host/sync-folder.js';
import { writeNew } from './atomic-file.js';

const KEY_BYTES = 32;

/** Throws `permission` when group or others can touch the file, `not-found` when it is missing. */
export async function requirePrivate(file: string): Promise<void> {
  const mode = await stat(file).then(
    (info) => info.mode & 0o777,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT')
        throw new FirebreakError('not-found', `${file} is missing: put it back from a copy`, { cause });
      throw new FirebreakError('permission', `${file} cannot be opened: ${systemReason(cause)}`, { cause });
    },
  );
  if ((mode & 0o077) === 0) return;
  const shown = mode.toString(8).padStart(4, '0');
  throw new FirebreakError('permission', `${file} is open to others (mode ${shown}): run chmod 600 ${file}`);
}

/** A 32-byte key. Throws `not-found`, `permission` or `damaged`, each naming the file. */
export async function readKeyFile(file: string): Promise<Uint8Array> {
  await requirePrivate(file);
  const text = (await readFile(file, 'latin1')).trimEnd();
  if (/^[0-9a-f]{64}$/.test(text)) return fromHex(text);
  throw new FirebreakError(
    'damaged',
    `${file} is not a key file: it must hold ${KEY_BYTES * 2} hex digits, it has ${text.length} characters`,
  );
}

/** Writes a new private file, whole or not at all, and makes its folder; never overwrites (`exists`). */
export async function writePrivate(file: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(file);
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined) await syncFolder(dirname(folder));
  await writeNew(file, bytes, 0o600);
}

/** Makes, stores and returns a new random key. */
export async function createKeyFile(file: string): Promise<Uint8Array> {
  const key = new Uint8Array(randomBytes(KEY_BYTES));
  await writePrivate(file, Buffer.from(`${toHex(key)}\n`, 'latin1'));
  return key;
}
