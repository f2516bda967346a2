/** People who are in no contact, though the tracer knows their tags: a gateway saw them, or their contacts left retention. */
import { expect, it } from 'vitest';
import { asUnixMs } from '../../../protocol/brands.js';
import { DAY_SECONDS, dayOf } from '../../../protocol/time.js';
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
  const entry = log.entries.length - 1;
  expect(refused.message).toMatch(
    new RegExp(
      `7 is in no contact that is known: check the number; the look is recorded as ledger entry ${entry}$`,
    ),
  );
  expect(readAccess(log)).toMatchObject({ cases: [7] });
});

it.each([
  ['/v1/contacts', { person: '7' }, '7'],
  ['/v1/trace', walk, 'case 7'],
  ['/v1/path', { ...walk, person: '9' }, 'case 7'],
])('%s does not blame the number alone once reports have left retention', async (path, request, who) => {
  const log = new MemoryLog();
  const report = reportOf({ tag: 7, records: [recordOf(9, NOON, 600)] });
  for (const entry of [gatewayEntry(), report]) log.append(entry);
  const day = dayOf(NOON);
  const prunedAtMs = asUnixMs((day + 30) * DAY_SECONDS * 1000);
  log.pruneBy(report.payload, { day, prunedAtMs, prunedBy: 0 });
  const { post } = await serve((await realApi(log)).api);
  const refused = await refusalOf(await post(path, { purpose: 'visit', request }));
  expect(refused).toEqual({
    ...{ status: 404, code: 'not-found' },
    message: `${who} is in no contact that is known: what there was may have left the retention window, or the number is wrong; the look is recorded as ledger entry ${log.entries.length - 1}`,
  });
});
