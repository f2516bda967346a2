/** What does not add up is listed by its places in the ledger, and names nobody. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { dayOf } from '../../../protocol/time.js';
import { doubtsAnswer, doubtsIn, MAX_LISTED } from '../../../tracer/api/doubts.js';
import { MAX_KEPT } from '../../../tracer/intake/doubts.js';
import type { Doubt } from '../../../tracer/intake/doubts.js';
import { askDoubts } from '../../../tracer/api/client.js';
import { answering } from '../../answering.js';
import { gatewayEntry, NOON, presenceOf, presenceReportOf, recordOf, reportOf } from '../deployment.js';
import { ward } from '../evidence-stage.js';
import { OPERATOR, realApi, refusalOf, serve } from './stage.js';

const DAY = dayOf(NOON);
const NOBODYS = { minuteOffset: 0, mac: new Uint8Array(6) };
const forgery = { proofA: NOBODYS, proofB: NOBODYS };

/** A ward, with a copy of tag 1, a tag that reports a forged beacon as its second record, and a gateway that does. */
function oddWard() {
  const log = ward();
  const first = 3; // after three entries of others
  const copy = log.append(reportOf({ tag: 1, records: [recordOf(4, NOON, 900)] }));
  const records = [recordOf(3, NOON, 600), { ...recordOf(2, NOON, 900), ...forgery }];
  const byTag = log.append(reportOf({ tag: 9, records }));
  log.append(gatewayEntry());
  const byGateway = log.append(presenceReportOf([{ ...presenceOf(2, NOON, 300), ...forgery }]));
  return { log, first, copy, byTag, byGateway };
}

describe('what does not add up', () => {
  it('is told by entries and days, and no look is recorded', async () => {
    const { log, first, copy, byTag, byGateway } = oddWard();
    const { api } = await realApi(log);
    const { get, url } = await serve(api);
    const entries = log.entries.length;
    const answer = await get('/v1/doubts');
    expect(answer.status).toBe(200);
    const told: unknown = await answer.json();
    expect(told).toEqual({
      clones: { kept: 1, isFull: false, listed: [{ day: DAY, ledger: [first, copy] }] },
      forgedBeacons: {
        ...{ kept: 2, isFull: false },
        listed: [
          { day: DAY, ledger: [byGateway], record: 0 },
          { day: DAY, ledger: [byTag], record: 1 },
        ],
      },
    });
    expect(await askDoubts(url, OPERATOR)).toEqual(told);
    expect(log.entries.length).toBe(entries);
  });

  it('is nothing of a log that adds up', async () => {
    const { get } = await serve((await realApi()).api);
    const none = { kept: 0, isFull: false, listed: [] };
    expect(await (await get('/v1/doubts')).json()).toEqual({ clones: none, forgedBeacons: none });
  });

  it('is for those with a token', async () => {
    const { get, url } = await serve((await realApi()).api);
    const bare = await refusalOf(await fetch(new URL('/v1/doubts', url)));
    expect(bare).toMatchObject({ status: 401, code: 'permission' });
    expect(await refusalOf(await get('/v1/doubts', 'fbt_other'))).toMatchObject({ status: 401 });
    await expect(askDoubts(url, 'fbt_other')).rejects.toMatchObject({ code: 'permission' });
  });

  it('is described as it is answered', async () => {
    const { get, url } = await serve((await realApi(oddWard().log)).api);
    const response = z.object({
      content: z.object({ 'application/json': z.object({ schema: z.looseObject({}) }) }),
    });
    const operation = z.object({ get: z.object({ responses: z.looseObject({ 200: response }) }) });
    const { paths } = z
      .object({ paths: z.looseObject({ '/v1/doubts': operation }) })
      .parse(await (await get('/openapi.json')).json());
    const { content } = paths['/v1/doubts'].get.responses[200];
    const described = z.fromJSONSchema(content['application/json'].schema);
    const told = await askDoubts(url, OPERATOR);
    expect(described.safeParse(told)).toMatchObject({ success: true });
    expect(described.safeParse({ ...told, clones: { ...told.clones, kept: undefined } }).success).toBe(false);
    expect(described.safeParse({ ...told, clones: { ...told.clones, listed: [{ day: DAY }] } }).success).toBe(
      false,
    );
  });

  it('is asked in vain of a tracer from before it was told', async () => {
    const before = { code: 'not-found', message: 'there is nothing here' };
    const url = await answering((_asked, reply) => void reply.writeHead(404).end(JSON.stringify(before)));
    await expect(askDoubts(url, OPERATOR)).rejects.toMatchObject({
      code: 'format',
      message: expect.stringContaining('start it anew with this version') as string,
    });
    const stranger = await answering((_asked, reply) => void reply.end('{}'));
    await expect(askDoubts(stranger, OPERATOR)).rejects.toMatchObject({ code: 'format' });
  });
});

const clone = (day: number, first: number, other: number): Doubt => ({
  kind: 'clone',
  day,
  ledger: [first, other],
});
const forged = (day: number, index: number, record: number): Doubt => ({
  kind: 'forged-beacon',
  day,
  ledger: [index],
  record,
});

describe('the list of it', () => {
  it('begins with the newest day, and of a day with the newest entry and its first record', () => {
    const { clones, forgedBeacons } = doubtsIn([
      ...[clone(5, 1, 9), forged(4, 2, 0), forged(6, 7, 1), clone(6, 3, 4), forged(6, 8, 2)],
      ...[clone(5, 2, 11), forged(6, 8, 0)],
    ]);
    expect(clones.listed.map(({ ledger }) => ledger)).toEqual([
      [3, 4],
      [2, 11],
      [1, 9],
    ]);
    expect(forgedBeacons.listed.map(({ ledger: [entry], record }) => [entry, record])).toEqual([
      ...[
        [8, 0],
        [8, 2],
        [7, 1],
        [2, 0],
      ],
    ]);
  });

  it('has its bound for each kind, counts all that is kept, and says when there is no room for more', () => {
    const kept = Array.from({ length: MAX_KEPT }, (_, index) => forged(3, index, 0));
    const copies = Array.from({ length: MAX_LISTED + 1 }, (_, index) => clone(index, 1, 2));
    const full = doubtsIn([...kept, ...copies]);
    expect(full.forgedBeacons).toMatchObject({ kept: MAX_KEPT, isFull: true });
    expect(full.clones).toMatchObject({ kept: MAX_LISTED + 1, isFull: false });
    expect([full.forgedBeacons, full.clones].map(({ listed }) => listed.length)).toEqual([
      ...[MAX_LISTED, MAX_LISTED],
    ]);
    expect(full.clones.listed[0]?.day).toBe(MAX_LISTED);
    expect(full.forgedBeacons.listed[0]?.ledger).toEqual([MAX_KEPT - 1]);
    expect(doubtsIn(kept.slice(1)).forgedBeacons.isFull).toBe(false);
    expect(doubtsAnswer.safeParse(full).success).toBe(true);
  });
});
