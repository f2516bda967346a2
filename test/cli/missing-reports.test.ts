/** Whoever asks sees that reports could not be read, what that means, and what to do. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterText } from '../../cli/present/show-cluster.js';
import { traceTree } from '../../cli/present/trace-tree.js';
import type { TraceResult } from '../../tracer/looks/trace-result.js';
import { attempt } from './in-process.js';
import { openWorkshop } from './small-demo.js';
import type { Workshop } from './small-demo.js';

const settings = { hops: 2, from: 0, to: 9, minSeconds: 900, latentSeconds: 0 };
const trace: TraceResult = { case: '1', direction: 'forward', ...settings, reachedCount: 0, reached: [] };
const lineOf = (text: string): string | undefined =>
  stripVTControlCharacters(text)
    .split('\n')
    .find((line) => line.includes('could not be read'));

describe('an answer on the screen', () => {
  it.each([
    [1, '1 report or approval of a gateway could not be read'],
    [12, '12 reports or approvals of gateways could not be read'],
  ])('says in one line what it means that %i could not be read, and what to do', (missingReports, words) => {
    const tree = { roots: [], edges: [], logLikelihood: 0 };
    const unreached = { unreached: [], unknown: [], onlySeen: [], beforeWindow: [] };
    const found = { sources: [], sourceCount: 0, weighed: { people: 0 }, ...unreached, tree };
    for (const text of [
      traceTree({ ...trace, missingReports }),
      clusterText({ ...settings, cases: [{ tag: '1' }, { tag: '2' }], ...found, missingReports }),
    ]) {
      const line = lineOf(text);
      expect(line).toContain(`${words}, so people may be missing from this list: `);
      expect(line).toContain('firebreak ledger fsck --data-dir DIR');
      expect(line).toContain('remove tracer/contacts');
    }
  });

  it('says nothing of it where all could be read', () => {
    expect(lineOf(traceTree({ ...trace, missingReports: 0 }))).toBeUndefined();
    expect(lineOf(traceTree(trace))).toBeUndefined();
  });
});

describe('firebreak trace', () => {
  let workshop: Workshop;
  beforeAll(async () => void (workshop = await openWorkshop()));
  afterAll(() => workshop?.remove());

  it('answers on a ledger with a damaged report, and says so on the screen and in its JSON', async () => {
    const dir = await workshop.copy();
    const json = workshop.path('trace.json');
    await rm(join(dir, 'tracer', 'contacts'), { recursive: true, force: true });
    await damageReports(dir);
    const asked = ['--data-dir', dir, '--case', '1', '--latent-seconds', '0', '--json', json];
    const { code, text } = await attempt('trace', ...asked);
    expect(code, text).toBe(0);
    const written = JSON.parse(await readFile(json, 'utf8')) as { missingReports: number };
    expect(written.missingReports).toBeGreaterThan(0);
    expect(lineOf(text)).toMatch(
      /reports? or approvals? of (a gateway|gateways) could not be read, so people may be missing from this list/,
    );
  });
});

/** A bit in the last payload of the last day of reports. */
async function damageReports(dir: string): Promise<void> {
  const payloads = join(dir, 'ledger', 'store', 'payloads');
  const days = (await readdir(payloads)).filter((name) => /^\d+$/.test(name)).sort();
  const file = join(payloads, days.at(-1) ?? 'none');
  const bytes = await readFile(file);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 40) ^ 1, bytes.length - 40);
  await writeFile(file, bytes);
}
