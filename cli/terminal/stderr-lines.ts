/**
 * Lines on stderr for a log, which must never stop the work that it tells of: a line that a full disk or a reader who stands
 * still does not take is left out and counted, and the next one is tried again.
 */
import fs from 'node:fs';

const STDERR = 2;
/** How long a pipe that is full is waited for, wall ms; not again before it took something. */
const PATIENCE_MS = 1_000;
const LOOK_EVERY_MS = 10;

export interface StderrLines {
  /** Tells whether the line was written whole. Never throws. */
  write(line: string): boolean;
  /** How many lines were left out since this was asked last. */
  takeLost(): number;
}

export function stderrLines(): StderrLines {
  let lost = 0;
  let isStuck = false;
  return {
    write: (line) => {
      const isWritten = writeWhole(Buffer.from(line), isStuck ? 0 : PATIENCE_MS);
      isStuck = !isWritten;
      if (!isWritten) lost += 1;
      return isWritten;
    },
    takeLost: () => {
      const taken = lost;
      lost = 0;
      return taken;
    },
  };
}

function writeWhole(bytes: Uint8Array, patienceMs: number): boolean {
  const deadline = performance.now() + patienceMs;
  for (let at = 0; at < bytes.length;) {
    try {
      at += fs.writeSync(STDERR, bytes, at);
    } catch (error) {
      const mayPass = (error as NodeJS.ErrnoException).code === 'EAGAIN';
      if (!mayPass || performance.now() >= deadline) return false;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
    }
  }
  return true;
}
