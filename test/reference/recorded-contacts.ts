/** Contacts straight from a recorded file, by the replay rule of docs/tracing.md: one contact a pair and epoch. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { wardAndHub } from '../../firmware-sim/scenario/scenario.js';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import type { Contact } from '../../tracer/contact.js';

const SHIFT = 1_700_006_400;
const STEP = 20;

export function contactsOfFile(file: string): Contact[] {
  const lines = gunzipSync(readFileSync(file)).toString().split('\n');
  const steps = lines
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) =>
      line
        .trim()
        .split(/[\s,]+/)
        .map(Number),
    )
    .map(([t = 0, i = 0, j = 0]) => ({ end: t < 1e9 ? t + SHIFT : t, i, j }));
  return contactsOfSteps(steps.map(({ end, i, j }) => ({ start: end - STEP, i, j })));
}

/** The built-in scenario, for a machine without recordings. */
export function builtInContacts(): { readonly contacts: Contact[]; readonly indexCase: number } {
  const { recording, indexCase } = wardAndHub();
  const steps = recording.contacts.flatMap(({ a, b, startMs, endMs }) => {
    const [i, j] = [recording.persons[a] ?? NaN, recording.persons[b] ?? NaN];
    const count = (endMs - startMs) / 1000 / STEP;
    return Array.from({ length: count }, (_, k) => ({ start: startMs / 1000 + k * STEP, i, j }));
  });
  return { contacts: contactsOfSteps(steps), indexCase };
}

function contactsOfSteps(steps: readonly { start: number; i: number; j: number }[]): Contact[] {
  const starts = new Map<string, Set<number>>();
  for (const { start, i, j } of steps) {
    if (i === j) continue;
    const key = `${Math.min(i, j)} ${Math.max(i, j)} ${Math.floor(start / 900)}`;
    const known = starts.get(key) ?? new Set();
    starts.set(key, known.add(start));
  }
  return [...starts].map(([key, ofPair]) => {
    const [a = 0, b = 0, epoch = 0] = key.split(' ').map(Number);
    return {
      a: asTagNumber(a),
      b: asTagNumber(b),
      epoch: asEpoch(epoch),
      start: Math.min(...ofPair),
      end: Math.max(...ofPair) + STEP,
      bucketSeconds: [STEP * ofPair.size, 0, 0, 0],
      attenuationDb: 50,
      mutual: true,
      partial: false,
      ledger: [],
    };
  });
}
