/** What `firebreak ledger status` says of witnesses and of the clock. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it, test } from 'vitest';
import { ledgerScreen, ledgerStatusSchema } from '../../cli/present/ledger-screen.js';
import { PROJECT_ROOT } from './firebreak-process.js';

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

test('a ledger that doubts its clock is not shown as well, but with both times and what to say', () => {
  const status = ledgerStatusSchema.parse({
    ...{ origin: 'log.example', size: 9, gateways: 0, pendingBatches: 0 },
    clockDoubt: { clockMs: 1_767_225_600_000, newestMs: 1_764_547_200_000 },
    publication: { size: 9, witnesses: [] },
  });
  const [first] = stripVTControlCharacters(ledgerScreen({ isRunning: true, ageMs: 0, status })).split('\n');
  expect(first).toContain(
    'the clock says 2026-01-01 00:00 UTC, and the newest entry is of 2025-12-01 00:00 UTC',
  );
  expect(first).toContain('ledger clock --data-dir DIR --yes');
});

test('a ledger that no thread checks batches for is not shown as well, but with what they died of', () => {
  const status = ledgerStatusSchema.parse({
    ...{ origin: 'log.example', size: 9, gateways: 0, pendingBatches: 0 },
    checkFailure: 'no room for a thread',
    publication: { size: 9, witnesses: [] },
  });
  const [first] = stripVTControlCharacters(ledgerScreen({ isRunning: true, ageMs: 0, status })).split('\n');
  expect(first).toMatch(/^log\.example {2}no batch was checked .*: no room for a thread$/);
});

test('a ledger whose broker is away or takes no receipts is not shown as well, but with the broker and why', () => {
  const broker = { url: 'mqtts://broker.example', isConnected: false, failure: 'Connection refused' };
  const screenWith = (changes: object) => {
    const status = ledgerStatusSchema.parse({
      ...{ origin: 'log.example', size: 9, gateways: 0, pendingBatches: 0 },
      publication: { size: 9, witnesses: [] },
      broker: { ...broker, ...changes },
    });
    return stripVTControlCharacters(ledgerScreen({ isRunning: true, ageMs: 0, status }));
  };
  expect(screenWith({})).toMatch(/^log\.example {2}hears no writers: its broker is away/);
  expect(screenWith({})).toMatch(/broker +mqtts:\/\/broker\.example; Connection refused\n/);
  expect(screenWith({ isConnected: true, failure: undefined })).toMatch(/^log\.example {2}well\n/);
  const denied = screenWith({ isConnected: true, receiptFailure: 'it ended the connection at a receipt' });
  expect(denied).toMatch(/^log\.example {2}takes batches, and cannot hand over receipts\n/);
  expect(denied).toMatch(/broker +mqtts:\/\/broker\.example; it ended the connection at a receipt\n/);
});

test('a screen says how many gateways are connected, and for how long a broker is there or away', () => {
  const screenWith = (changes: object) => {
    const status = ledgerStatusSchema.parse({
      ...{ origin: 'log.example', size: 9, gateways: 1200, pendingBatches: 0 },
      publication: { size: 9, witnesses: [] },
      ...changes,
    });
    return stripVTControlCharacters(ledgerScreen({ isRunning: true, ageMs: 0, status }));
  };
  expect(screenWith({ connectedGateways: 1100 })).toMatch(/ gateways +1,200 known, 1,100 connected$/m);
  expect(screenWith({})).toMatch(/ gateways +1,200 known$/m);
  const broker = { url: 'mqtts://broker.example', isConnected: true, sinceMs: Date.now() - 7_200_000 };
  expect(screenWith({ broker })).toMatch(/ broker +mqtts:\/\/broker\.example, connected for 2 h 00 min$/m);
  const away = { ...broker, isConnected: false, failure: 'Connection refused' };
  expect(screenWith({ broker: away })).toMatch(/example, away for 2 h 00 min; Connection refused$/m);
});

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

test('the page on witnesses shows the rows of the screen, all of them', async () => {
  const page = await readFile(join(PROJECT_ROOT, 'docs/witnesses.md'), 'utf8');
  const [, sample = ''] = /^ {4}\S+ {2}well\n((?: {6}.+\n)+)/m.exec(page) ?? [];
  const witnesses = ['hospital', 'ombudsman', 'press'].map((name) => ({ name }));
  const status = ledgerStatusSchema.parse({
    ...{ origin: 'log.example', size: 40, gateways: 2, connectedGateways: 2, pendingBatches: 0 },
    publication: { size: 40, quorum: '2 of them', witnesses },
  });
  const [, ...shown] = stripVTControlCharacters(ledgerScreen({ isRunning: true, ageMs: 0, status })).split(
    '\n',
  );
  const rowNames = (lines: readonly string[]) => lines.map((line) => line.trim().split(' ')[0]);
  expect(rowNames(sample.trimEnd().split('\n'))).toEqual(rowNames(shown));
});
