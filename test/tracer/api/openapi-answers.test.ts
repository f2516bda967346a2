/** Answers with all that they may have in them, each held against the schema that the description publishes. */
import { expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { PresenceBook } from '../../../tracer/presence/presence-book.js';
import { NOON } from '../deployment.js';
import { clinic } from '../evidence-presence-stage.js';
import { described, operationAt, schemaIn } from './described.js';

const DAY = 86_400;
const KNOWN_FROM = NOON - 3_600;
const settings = { infectiousSeconds: DAY, attenuation: 'medium', presence: true };
const walks = { ...settings, minSeconds: 300, latentSeconds: 0, from: NOON - DAY };
const trace = { ...walks, case: '3', direction: 'both', hops: 1, list: 9 };
const cases = [{ tag: '2', onset: NOON + DAY }, { tag: '3' }, { tag: '4' }];
const cluster = { ...walks, cases, list: 9, incubationSeconds: 0, gateways: true };

const gateway = expect.stringMatching(/^[0-9a-f]{32}$/) as string;
const some = (row: object): unknown => expect.arrayContaining([expect.objectContaining(row)]);
const byPresence = { path: some({ gateway }) };
const told = { missingReports: 0, presenceFrom: KNOWN_FROM };

const ANSWERS: readonly (readonly [what: string, path: string, request: object, answer: object])[] = [
  [
    'a trace both ways by presence',
    '/v1/trace',
    trace,
    {
      result: {
        ...{ ...settings, ...told, list: 9, reachedCount: 1, sourceCount: 3 },
        ...{ reached: some({ source: '9', ...byPresence }), sources: some(byPresence) },
      },
    },
  ],
  [
    'a path by presence',
    '/v1/path',
    { ...walks, case: '1', direction: 'forward', person: '4' },
    { as: 'reached', person: byPresence, ...told },
  ],
  [
    'a path by presence that begins at a source',
    '/v1/path',
    { ...trace, person: '1' },
    { as: 'reached', person: { source: '9', ...byPresence }, ...told },
  ],
  [
    'a cluster with gateways, by presence',
    '/v1/cluster',
    cluster,
    {
      result: {
        ...{ ...settings, ...told, cases, list: 9, incubationSeconds: 0, gateways: true },
        sources: some({ kind: 'gateway', gateway, explains: some({ case: '4' }) }),
        weighed: { gateways: 1 },
        tree: { edges: some({ gateway }) },
      },
    },
  ],
];

it.each(ANSWERS)('%s is as published', async (_what, path, request, expected) => {
  const knownFrom = vi.spyOn(PresenceBook.prototype, 'knownFrom', 'get').mockReturnValue(KNOWN_FROM);
  onTestFinished(() => knownFrom.mockRestore());
  const { paths, post } = await described({}, clinic());
  const { requestBody, responses } = operationAt(paths, path, 'post');
  const question = { purpose: 'p', request };
  expect(schemaIn(requestBody).safeParse(question)).toMatchObject({ success: true });
  const answer = z.looseObject({}).parse(await (await post(path, question)).json());
  expect(answer).toMatchObject(expected);
  const published = schemaIn(responses['200']);
  expect(published.safeParse(answer)).toMatchObject({ success: true });
  for (const field of ['gateway', 'source', 'presenceFrom', 'attenuation', 'infectiousSeconds', 'gateways'])
    if (JSON.stringify(answer).includes(`"${field}":`))
      expect(published.safeParse(spoilt(answer, field)).success, field).toBe(false);
});

/** The same, with something else in this field wherever it is. */
const spoilt = (answer: object, field: string): unknown =>
  JSON.parse(JSON.stringify(answer), (name, value: unknown) => (name === field ? {} : value));
