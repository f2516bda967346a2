/** Writing to a file until all of it is there: a disk that fills up takes the first part and says nothing. */
import { writeSync } from 'node:fs';

/** At `position`, or where the file stands. Throws what the system does; then any part of it may have been written. */
export function writeWhole(fd: number, bytes: Uint8Array, position?: number): void {
  for (let at = 0; at < bytes.length;) {
    const left = bytes.length - at;
    at += writeSync(fd, bytes, at, left, position === undefined ? null : position + at);
  }
}
