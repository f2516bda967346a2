/** People who are in no contact, though the tracer knows their tags: a gateway saw them, or their contacts left retention. */
import { expect, it } from 'vitest';
import { NOON, gatewayEntry, presenceOf, presenceReportOf, recordOf, reportOf } from '../deployment.js';
import { MemoryLog } from '../memory-log.js';
import { readAccess } from './looks.js';
import { realApi, refusalOf, serve } from './stage.js';

const walk = { case: '7', direction: 'forward', hops: 2, minSeconds: 300, latentSeconds: 0 };

it.each([
  ['/v1/contacts', { person: '7' }],
  ['/v1/trace', walk],
  ['/v1/path', { ...walk, person: '9' }],
])('%s says of somebody whom gateways alone saw that they are in no contact', async (path, request) => {
  const log = new MemoryLog();
  log.append(gatewayEntry());
  log.append(presenceReportOf([presenceOf(7, NOON, 900)]));
  log.append(reportOf({ tag: 8, records: [recordOf(9, NOON, 600)] }));
  const { post } = await serve((await realApi(log)).api);
  const refused = await refusalOf(await post(path, { purpose: 'visit', request }));
  expect(refused).toMatchObject({ status: 404, code: 'not-found' });
  expect(refused.message).toContain('7 is in no contact that is known: check the number');
  expect(readAccess(log)).toMatchObject({ cases: [7] });
});
