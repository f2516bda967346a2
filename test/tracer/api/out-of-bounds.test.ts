/** Questions that have the right form and ask what cannot be: told so, and neither recorded nor logged with what they named. */
import { expect, it } from 'vitest';
import { realApi, refusalOf, serve } from './stage.js';

/** A number of fifteen digits that is beyond all tags. */
const NOBODY = '999999999999999';
const settings = { hops: 2, minSeconds: 900, latentSeconds: 0 };
const walk = { ...settings, case: '1', direction: 'forward' };
const cases = [{ tag: '1' }, { tag: '4' }];
const noTag = (what: string) => `${what} “${NOBODY}” is not a tag number`;
const WINDOW = 'the window ends before it begins';

it.each([
  ['/v1/trace', { ...walk, case: NOBODY }, noTag('case')],
  ['/v1/evidence', { ...walk, case: NOBODY }, noTag('case')],
  ['/v1/path', { ...walk, case: NOBODY, person: '2' }, noTag('case')],
  ['/v1/path', { ...walk, person: NOBODY }, noTag('person')],
  ['/v1/contacts', { person: NOBODY }, noTag('person')],
  ['/v1/cluster', { ...settings, cases: [...cases, { tag: NOBODY, onset: 5 }] }, noTag('case')],
  ['/v1/trace', { ...walk, from: 9, to: 8 }, WINDOW],
  ['/v1/path', { ...walk, person: '2', from: 9, to: 8 }, WINDOW],
  ['/v1/contacts', { person: '2', from: 9, to: 8 }, WINDOW],
  ['/v1/cluster', { ...settings, cases, from: 9, to: 8 }, WINDOW],
])('%s does not take %o', async (path, request, message) => {
  const { api, log } = await realApi();
  const { post, lines } = await serve(api);
  const before = log.entries.length;
  const refused = await refusalOf(await post(path, { purpose: 'visit', request }));
  expect(refused).toEqual({ status: 400, code: 'input', message });
  expect(log.entries.length).toBe(before);
  expect(lines.join()).not.toContain(NOBODY);
});
