/** What `firebreak ledger status` says of witnesses. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ledgerScreen, ledgerStatusSchema } from '../../cli/present/ledger-screen.js';

const now = Date.now() / 1000;

/** The line of a witness that cosigned at this time, by its own clock. */
function witnessLine(cosignedAtSeconds: number): string {
  const status = ledgerStatusSchema.parse({
    ...{ origin: 'log.example', size: 9, gateways: 0, pendingBatches: 0 },
    publication: { size: 9, witnesses: [{ name: 'press', cosignedSize: 9, cosignedAtSeconds }] },
  });
  const screen = stripVTControlCharacters(ledgerScreen({ isRunning: true, ageMs: 0, status }));
  return screen.split('\n').find((line) => line.includes('press')) ?? '';
}

describe('the line of a witness', () => {
  it.each([
    [now - 7200, 'press cosigned 9 entries 2 h 00 min ago'],
    [now + 30, 'press cosigned 9 entries 0 s ago'],
    [4_102_488_000, 'press cosigned 9 entries at a time to come, Fri, 01 Jan 2100, '],
    [2 ** 53 - 1, 'press cosigned 9 entries at a time to come, 9007199254740991 s after 1970'],
  ])('at %d says when it cosigned, also where that is to come', (atSeconds, words) => {
    const line = witnessLine(atSeconds);
    expect(line).toContain(words);
    expect(line.includes('clock')).toBe(atSeconds > now + 60);
  });
});
