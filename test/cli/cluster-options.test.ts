/** The options of `firebreak cluster` that weigh, as they reach the question. */
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { attempt } from './in-process.js';
import { openWorkshop } from './small-demo.js';
import type { Workshop } from './small-demo.js';

let workshop: Workshop;
beforeAll(async () => void (workshop = await openWorkshop()));
afterAll(() => workshop.remove());

it.each([
  ['none', [], { incubationSeconds: 0, gateways: true }],
  [
    'all',
    ['--infectious-seconds', '86400', '--incubation-seconds', '3600', '--no-gateways', '--list', '1'],
    { infectiousSeconds: 86_400, incubationSeconds: 3_600, gateways: false },
  ],
])('firebreak cluster with %s of them asks what they say', async (which, given, asked) => {
  const [cases, json] = [workshop.path(`${which}.txt`), workshop.path(`${which}.json`)];
  await writeFile(cases, '1 2023-11-15T13:00Z\n3 1700060400\n');
  const dir = await workshop.copy();
  const { code, text } = await attempt(
    ...['cluster', '--data-dir', dir, '--cases', cases, '--latent-seconds', '0', '--json', json, ...given],
  );
  expect(code, text).toBe(0);
  const answer = JSON.parse(await readFile(json, 'utf8')) as Record<string, unknown>;
  expect(answer).toMatchObject(asked);
  expect('infectiousSeconds' in answer).toBe('infectiousSeconds' in asked);
  expect(answer['sources']).toHaveLength(which === 'all' ? 1 : 2);
});
