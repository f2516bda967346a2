/** An officer's words reach the authority as they were given: the command writes the order down, a running authority carries it out. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openAuthority } from '../../authority/authority.js';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import { carryOut } from '../../cli/commands/authority-orders.js';
import { folderAt } from '../../cli/folder/folder.js';
import { takeOrders } from '../../cli/orders/order-desk.js';
import { orderFiles, type Order } from '../../cli/orders/order-files.js';
import { announce } from '../../cli/files/run-files.js';
import type { RevocationReach } from '../../authority/authority.js';
import { toHex } from '../../protocol/bytes.js';
import { asTagNumber } from '../../protocol/brands.js';
import { MAX_NOTICES, splitNotices } from '../../protocol/tag/notice-list.js';
import { openNotice } from '../../protocol/tag/notice.js';
import { partyIdOf } from '../../protocol/keys.js';
import { dayOf } from '../../protocol/time.js';
import { NOTICES_TOPIC } from '../../protocol/mqtt/topics.js';
import { enrolled, issuer, newAuthority, TODAY } from '../authority/fixture.js';
import { until } from './firebreak-process.js';
import { attempt } from './in-process.js';

const NOTIFY = ['authority', 'notify', '--person', '17, 4,17', '--code', '7'];
const GATEWAY_ID = 'a0'.repeat(16);

it.each<[readonly string[], Order]>([
  [NOTIFY, { what: 'notify', day: 0, code: 7, tags: [17, 4], dropOldest: false }],
  [[...NOTIFY, '--drop-oldest'], { what: 'notify', day: 0, code: 7, tags: [17, 4], dropOldest: true }],
  [['authority', 'revoke', '--gateway', GATEWAY_ID], { what: 'revoke', gatewayId: GATEWAY_ID }],
])('%j is an order of just that', async (command, wanted) => {
  const folder = folderAt(await mkdtemp(join(tmpdir(), 'firebreak-words-')));
  onTestFinished(() => rm(folder.dir, { recursive: true }));
  const data = ['--data-dir', folder.dir];
  await attempt('authority', 'init', '--clock-start', '2026-03-02T08:00', ...data);
  await announce(folder, 'authority', { http: 'http://127.0.0.1:1' });
  const taken: Order[] = [];
  let isEnded = false;
  const given = attempt(...command, ...data).finally(() => (isEnded = true));
  await until('the command to end', async () => {
    await takeOrders(folder, async (order) => `done ${taken.push(order)}`);
    return isEnded;
  });
  expect(await given).toMatchObject({ code: 0, stdout: 'done 1\n' });
  const day = dayOf(Date.UTC(2026, 2, 2) / 1000);
  expect(taken).toEqual([wanted.what === 'notify' ? { ...wanted, day } : wanted]);
});

it('everybody in a file is warned with whoever is named, after word of how many', async () => {
  const folder = folderAt(await mkdtemp(join(tmpdir(), 'firebreak-words-')));
  onTestFinished(() => rm(folder.dir, { recursive: true }));
  const data = ['--data-dir', folder.dir];
  await attempt('authority', 'init', ...data);
  await announce(folder, 'authority', { http: 'http://127.0.0.1:1' });
  const list = join(folder.dir, 'list.txt');
  await writeFile(list, '4\n5\n');
  const taken: Order[] = [];
  let isEnded = false;
  const given = attempt(...NOTIFY, '--persons', list, ...data).finally(() => (isEnded = true));
  await until('the command to end', async () => {
    await takeOrders(folder, async (order) => `done ${taken.push(order)}`);
    return isEnded;
  });
  expect(await given).toMatchObject({ code: 0, stdout: 'to be warned: 3 people\ndone 1\n' });
  expect(taken).toMatchObject([{ what: 'notify', tags: [17, 4, 5] }]);
});

it('a notice is given with its code, and takes the oldest off only where the order says so', async () => {
  const { authority, world } = await newAuthority();
  await enrolled(world, [asTagNumber(17)]);
  for (let k = 0; k < MAX_NOTICES; k += 1) await authority.notify({ day: TODAY, code: 1, tags: [] });
  const { clock } = world;
  const { signal } = new AbortController();
  const courier = { status: () => expect.fail('nobody asked for it') };
  const notice: Order = { what: 'notify', day: TODAY, code: 7, tags: [17] };
  const give = (order: Order) => carryOut(order, { authority, courier, clock, signal });
  await expect(give(notice)).rejects.toMatchObject({ code: 'full' });
  expect(await give({ ...notice, dropOldest: true })).toContain('taken off to make room: 1;');
  await authority.published();
  const [newest] = splitNotices(world.retained.get(NOTICES_TOPIC) ?? new Uint8Array());
  const { number, code } = openNotice(newest ?? new Uint8Array(), issuer.publicKey);
  expect({ number, code }).toEqual({ number: MAX_NOTICES + 1, code: 7 });
});

it.each([
  ['damaged', (file: string) => writeFile(file, 'x')],
  ['gone', (file: string) => rm(file)],
])('a notice of a day whose key file is %s is refused as that, and nothing is done', async (_, spoil) => {
  const folder = folderAt(await mkdtemp(join(tmpdir(), 'firebreak-words-')));
  onTestFinished(() => rm(folder.dir, { recursive: true }));
  const keysDir = folder.authority.dayKeys;
  const { authority: first, world } = await newAuthority({ dayKeys: dayKeyFiles(keysDir) });
  await enrolled(world, [asTagNumber(17)]);
  await first.close();
  await spoil(join(keysDir, `${TODAY}.key`));
  const authority = await openAuthority(world.deps);
  const files = orderFiles(folder.authority.orders, '00000000-0000-4000-8000-000000000000');
  const order: Order = { what: 'notify', day: TODAY, code: 7, tags: [17] };
  await mkdir(folder.authority.orders, { recursive: true });
  await writeFile(files.waiting, JSON.stringify({ givenMs: Date.now(), order }));
  const courier = { status: () => expect.fail('nobody asked for it') };
  const { signal } = new AbortController();
  await takeOrders(folder, (given) => carryOut(given, { authority, courier, clock: world.clock, signal }));
  expect(JSON.parse(await readFile(files.answer, 'utf8'))).toEqual({
    outcome: 'refused',
    message: expect.stringContaining(`the keys of day ${TODAY} are lost here`) as string,
  });
  expect((await authority.status()).lastNotice).toBeUndefined();
  await authority.close();
});

it('a revocation is told as one only once it is in the ledger and out', async () => {
  const { authority, world } = await newAuthority();
  const { clock } = world;
  const { signal } = new AbortController();
  const courier = { status: () => expect.fail('nobody asked for it') };
  const given: string[] = [];
  const tell = (reach: RevocationReach) => {
    const revokeGateway = async (id: Uint8Array) => void given.push(toHex(id));
    const revoking = { ...authority, revokeGateway, revoked: async () => reach };
    return carryOut(
      { what: 'revoke', gatewayId: GATEWAY_ID },
      { authority: revoking, courier, clock, signal },
    );
  };
  expect(await tell('out')).toBe(`gateway ${GATEWAY_ID} is revoked`);
  expect(await tell('waits')).toContain(
    'is published to gateways where the broker can be reached; the ledger has not',
  );
  await expect(tell('refused')).rejects.toMatchObject({ code: 'permission' });
  expect(given).toEqual([GATEWAY_ID, GATEWAY_ID, GATEWAY_ID]);
});

it('a revocation that is given again is told as one, with its date', async () => {
  const { authority, world } = await newAuthority();
  await authority.addGateway(issuer.publicKey, 'hub-1');
  const gatewayId = toHex(partyIdOf(issuer.publicKey));
  const revoking = { ...authority, revoked: async () => 'out' as const };
  const courier = { status: () => expect.fail('nobody asked for it') };
  const carriers = { authority: revoking, courier, clock: world.clock, signal: new AbortController().signal };
  const revoke = () => carryOut({ what: 'revoke', gatewayId }, carriers);
  expect(await revoke()).toBe(`gateway ${gatewayId} is revoked`);
  expect(await revoke()).toBe(`gateway ${gatewayId} was revoked already, on 2024-10-04`);
});
