/** What whoever asks is told of a failure: never where the tracer keeps its files; the log says that. */
import { expect, it } from 'vitest';
import { FirebreakError } from '../../../protocol/errors.js';
import { refusedBy } from '../../../tracer/api/refusal.js';
import { realApi, refusalOf, serve } from './stage.js';

const asked = {
  purpose: 'ward outbreak',
  request: { case: '1', direction: 'forward', hops: 3, minSeconds: 900, latentSeconds: 0 },
};

it('answers a failure that names a folder in general words, and logs the whole of it', async () => {
  const { api } = await realApi();
  const why = 'the contact store in /srv/tracer/contacts stopped at an error (EIO): open it again';
  const trace = () => Promise.reject(new FirebreakError('closed', why));
  const { post, lines } = await serve({ ...api, trace });
  const refused = await refusalOf(await post('/v1/trace', asked));
  expect(refused).toEqual({
    ...{ status: 503, code: 'closed' },
    message: 'the tracer failed to answer; its operator finds why in its log',
  });
  expect(lines.join('\n')).toContain(why);
});

it.each([
  '/srv/tracer/checkpoint cannot be written: ENOSPC',
  "EACCES: permission denied, open '/srv/tracer/contacts/manifest.json'",
  'cannot read “C:\\firebreak\\tracer”',
  'no room below ~/firebreak',
  'dir=../data',
])('keeps %s to itself, whatever its code', (words) => {
  for (const code of ['input', 'damaged', 'not-found'] as const) {
    const refused = refusedBy(new FirebreakError(code, words));
    expect(refused).toMatchObject({ status: 503, code: 'closed', why: words });
    expect(refused.message).not.toMatch(/[/\\]/);
  }
});

it.each([
  'the ledger at http://127.0.0.1:8080/log cannot be reached: check that it is running',
  'reports wait for keys, which are not in authority/day-keys',
  'hops: 1/2 is no whole number',
])('hands on %s', (words) => {
  expect(refusedBy(new FirebreakError('unreachable', words))).toEqual({
    ...{ status: 503, code: 'unreachable', message: words },
  });
});
