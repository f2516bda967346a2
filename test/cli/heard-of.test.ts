/** What a status screen says when the status is no longer written. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { silence } from '../../cli/present/heard-of.js';
import { ledgerScreen, ledgerStatusSchema } from '../../cli/present/ledger-screen.js';

const status = ledgerStatusSchema.parse({
  ...{ origin: 'log.example', size: 9, gateways: 0, pendingBatches: 0 },
  publication: { size: 9, witnesses: [] },
});

describe('a status', () => {
  it('of three hours ago is not shown as that of now, though the process is there', () => {
    const [first = ''] = stripVTControlCharacters(
      ledgerScreen({ isRunning: true, ageMs: 3 * 3_600_000, status }),
    ).split('\n');
    expect(first).toMatch(/^log\.example {2}running, but last heard of 3 h 00 min ago: it hangs/);
  });

  it.each([
    [true, 0, undefined],
    [true, 9_000, undefined],
    [true, -500, undefined],
    [true, 11_000, 'running, but last heard of 11 s ago'],
    [true, -3_600_000, 'running, but not heard of since the clock here was set back'],
    [false, 2_000, 'not running; last seen 2 s ago'],
    [false, -2_000, 'not running; last seen 0 s ago'],
  ])('of a process that runs: %s, written %i ms ago, says of that: %s', (isRunning, ageMs, words) => {
    const said = silence({ isRunning, ageMs });
    if (words === undefined) expect(said).toBeUndefined();
    else expect(stripVTControlCharacters(said ?? '')).toContain(words);
  });
});
