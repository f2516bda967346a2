/** Files that a person names to be read: small ones, whole. */
import { open } from 'node:fs/promises';
import { systemReason } from '../../host/system-words.js';
import { FirebreakError } from '../../protocol/errors.js';

/** Throws `input` when there is no such file, it cannot be read, or it is larger than what it is said to be may be. */
export async function readInputFile(file: string, maxBytes: number): Promise<Uint8Array> {
  const bytes = await readUpTo(file, maxBytes + 1).catch((cause: NodeJS.ErrnoException) => {
    const missing = cause.code === 'ENOENT' ? `there is no file ${file}` : undefined;
    throw new FirebreakError('input', missing ?? `cannot read ${file}: ${systemReason(cause)}`, { cause });
  });
  if (bytes.length <= maxBytes) return bytes;
  throw new FirebreakError('input', `${file} is over ${maxBytes} bytes: it is not the file meant`);
}

async function readUpTo(file: string, length: number): Promise<Uint8Array> {
  const handle = await open(file, 'r');
  try {
    const bytes = new Uint8Array(length);
    let filled = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, filled, length - filled);
      filled += bytesRead;
      if (bytesRead === 0 || filled === length) return bytes.subarray(0, filled);
    }
  } finally {
    await handle.close();
  }
}
