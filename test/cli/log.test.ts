/** The log of a process whose stderr goes to a file on a disk that is full for a while, or to a reader who stands still. */
import fs from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { consoleLog } from '../../cli/terminal/log.js';

/** What reaches stderr; nothing while there is `trouble`. */
function fakeStderr() {
  const stderr = { trouble: '', text: '', tries: 0 };
  const write = (_fd: number, bytes: string | Uint8Array, at = 0): number => {
    stderr.tries += 1;
    if (stderr.trouble !== '') throw Object.assign(new Error('not now'), { code: stderr.trouble });
    const piece = Buffer.from(bytes as Uint8Array).subarray(at, at + 64); // the system may take a part only
    stderr.text += piece.toString();
    return piece.length;
  };
  vi.spyOn(fs, 'writeSync').mockImplementation(write as typeof fs.writeSync);
  return stderr;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(['json', undefined])('a log written as %s', (format) => {
  it('stops no work while its disk is full, goes on once there is room, and says how much is missing', () => {
    const stderr = fakeStderr();
    const log = consoleLog('ledger', format);
    log.info('first');
    stderr.trouble = 'ENOSPC';
    expect(() => log.warn('second')).not.toThrow();
    expect(() => log.warn('third')).not.toThrow();
    stderr.trouble = '';
    log.info('fourth', { entries: 4 });
    log.info('fifth');
    const lines = stderr.text.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    for (const [k, words] of ['first', 'fourth', 'left out', 'fifth'].entries())
      expect(lines[k]).toContain(words);
    expect(lines[2]).toMatch(/"lines":2/);
  });
});

it('a log waits for a reader who stands still once, and not again for each line', () => {
  const stderr = fakeStderr();
  const log = consoleLog('ledger', 'json');
  stderr.trouble = 'EAGAIN';
  log.info('first');
  expect(stderr.tries).toBeGreaterThan(1);
  stderr.tries = 0;
  for (let k = 0; k < 100; k += 1) log.info('more');
  expect(stderr.tries).toBe(100);
});
