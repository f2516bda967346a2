/** An authority on an older copy of its folder: what it forgot stands in the log. */
import { describe, expect, it } from 'vitest';
import { openAuthority } from '../../authority/authority.js';
import { authorityEntries } from '../../authority/entries.js';
import { gatewayRegister } from '../../authority/gateways.js';
import { certifyGateway } from '../../authority/issuer.js';
import { LoggedWords } from '../../authority/records/own-words.js';
import { memoryRecords } from '../../authority/records/records-memory.js';
import type { RecordChange, RecordStore } from '../../authority/records/records.js';
import { statementBook } from '../../authority/statement-book.js';
import { asTagNumber, asUnixMs } from '../../protocol/brands.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { decodeGatewayCertificate } from '../../protocol/session/gateway-certificate.js';
import { partyIdOf } from '../../protocol/keys.js';
import { splitNotices } from '../../protocol/tag/notice-list.js';
import { openNotice, signNotice } from '../../protocol/tag/notice.js';
import { encodeNoticePayload } from '../../protocol/payload/notice.js';
import { NOTICES_TOPIC, REVOCATIONS_TOPIC } from '../../protocol/mqtt/topics.js';
import { MemoryLog } from '../tracer/memory-log.js';
import { bookOn } from './audited.js';
import {
  enrolled,
  issuer,
  newAuthority,
  newWorld,
  secretOf,
  TODAY,
  type Posted,
  type World,
} from './fixture.js';

const TAG = asTagNumber(17);
const [NORTH, SOUTH, EAST] = ['north', 'south', 'east'].map((name) => fastSigner(secretOf(name)).publicKey);
const order = { day: TODAY, code: 1, tags: [TAG] };

async function copyOf(records: RecordStore): Promise<RecordStore> {
  const copy = memoryRecords();
  const rows: RecordChange[] = [];
  for await (const [key, value] of records.list('')) rows.push([key, new Uint8Array(value)]);
  await copy.write(rows);
  return copy;
}

const logOf = (posted: readonly Posted[], source = partyIdOf(issuer.publicKey)): MemoryLog => {
  const log = new MemoryLog();
  for (const { type, payload } of posted) log.append({ type, payload, source });
  return log;
};

/** An entry with a notice to nobody. */
function signedNotice(by: string, number: number, day = TODAY): Posted {
  const notice = signNotice(fastSigner(secretOf(by)), { ...order, day, number, tokens: [] }, (length) =>
    secretOf('padding').slice(0, length),
  );
  const payload = encodeNoticePayload({ salt: secretOf('s').slice(0, 16), notice });
  return { type: ENTRY_TYPE.notices, timeMs: 0, payload };
}

const onOffer = (world: World): number[] =>
  splitNotices(world.retained.get(NOTICES_TOPIC) ?? new Uint8Array()).map(
    (bytes) => openNotice(bytes, issuer.publicKey).number,
  );

/** After the copy: notices 2 and 3, SOUTH revoked, EAST certified. */
async function olderCopy() {
  const { authority, world } = await newAuthority();
  await enrolled(world, [TAG]);
  await authority.notify(order);
  await authority.addGateway(NORTH ?? secretOf(''), 'north');
  await authority.addGateway(SOUTH ?? secretOf(''), 'south');
  const records = await copyOf(world.deps.records);
  for (const code of [2, 3]) await authority.notify({ ...order, code });
  await authority.revokeGateway(partyIdOf(SOUTH ?? secretOf('')), asUnixMs(5));
  await authority.addGateway(EAST ?? secretOf(''), 'east');
  await authority.close();
  world.retained.clear();
  return { world, records, log: logOf(world.posted) };
}

/** The authority on the copy, and what reads the log for it. */
async function restored(log: MemoryLog, { world, records }: Awaited<ReturnType<typeof olderCopy>>) {
  const own = new LoggedWords(issuer.publicKey);
  const book = bookOn(log, { own });
  const authority = await openAuthority({ ...world.deps, records, ownWords: () => own.words() });
  return { authority, book };
}

describe('an authority on an older copy of its folder', () => {
  it('reads back from the log what it must not forget', async () => {
    const older = await olderCopy();
    const { authority, book } = await restored(older.log, older);
    await book.catchUp();
    await authority.maintain();
    expect(authority.isReadBack()).toBe(true);
    await authority.published();
    expect(onOffer(older.world)).toEqual([3, 2, 1]);
    expect(older.world.retained.get(REVOCATIONS_TOPIC)).toHaveLength(93);
    await expect(authority.addGateway(SOUTH ?? secretOf(''), 'south')).rejects.toMatchObject({
      code: 'permission',
    });
    expect((await authority.status()).gateways).toHaveLength(3);
    await authority.revokeGateway(partyIdOf(EAST ?? secretOf('')));
    expect((await authority.notify(order)).number).toBe(4);
    expect(older.world.logged.filter(({ message }) => message.includes('older than the log'))).toEqual([
      expect.objectContaining({ level: 'warn', fields: { noticesUpTo: 3, gateways: 2 } }),
    ]);
  });

  it('leaves notices alone that no tag could know itself in any more, and goes on after their numbers', async () => {
    const world = newWorld();
    const log = logOf(Array.from({ length: 256 }, (_, k) => signedNotice('issuer', k + 1, TODAY - 40)));
    const { authority, book } = await restored(log, { world, records: memoryRecords(), log });
    await authority.maintain(); // the day's tidying is done before the log is read
    await book.catchUp();
    await authority.maintain();
    expect((await authority.status()).noticesOnOffer).toBe(0);
    expect((await authority.notify({ ...order, tags: [] })).number).toBe(257);
    await authority.close();
  });

  it('gives no notice and certifies no gateway before it has read the log', async () => {
    const older = await olderCopy();
    const { authority, book } = await restored(older.log, older);
    older.log.failing = { call: 'payloads', error: new Error('the ledger is away') };
    await expect(book.catchUp()).rejects.toThrow('the ledger is away');
    await authority.maintain();
    expect(authority.isReadBack()).toBe(false);
    const before = older.world.posted.length;
    await expect(authority.notify(order)).rejects.toMatchObject({ code: 'closed' });
    await expect(authority.addGateway(NORTH ?? secretOf(''), 'north')).rejects.toThrow(
      'has not read the log yet',
    );
    expect(older.world.posted).toHaveLength(before);
    await book.catchUp();
    await authority.maintain();
    expect((await authority.notify(order)).number).toBe(4);
  });

  it('does not say of a gateway that it was never certified before it has read the log', async () => {
    const older = await olderCopy();
    const { authority, book } = await restored(older.log, older);
    const east = partyIdOf(EAST ?? secretOf(''));
    await expect(authority.revokeGateway(east)).rejects.toMatchObject({ code: 'closed' });
    await authority.revokeGateway(partyIdOf(NORTH ?? secretOf(''))); // the copy knows this one
    await book.catchUp();
    await authority.maintain();
    await authority.revokeGateway(east);
    await expect(authority.revokeGateway(new Uint8Array(16))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('believes only what it signed itself and what bears its name in the log', async () => {
    const older = await olderCopy();
    const log = logOf([signedNotice('another', 9), { type: 3, timeMs: 0, payload: Uint8Array.of(1, 2) }]);
    const { type, payload } = signedNotice('issuer', 8);
    log.append({ type, payload, source: secretOf('another').slice(0, 16) });
    const { authority, book } = await restored(log, older);
    await book.catchUp();
    await authority.maintain();
    expect((await authority.notify(order)).number).toBe(2);
  });

  it('takes nothing up that it knows: a notice that it took off stays off', async () => {
    const { authority: before, world } = await newAuthority();
    await enrolled(world, [TAG]);
    const { number } = await before.notify(order);
    expect(await before.notified(number, AbortSignal.timeout(5_000))).toBe('out');
    await before.close();
    await world.deps.records.write([['notices/00000001', undefined]]);
    const older = { world, records: world.deps.records, log: logOf(world.posted) };
    const { authority, book } = await restored(older.log, older);
    await book.catchUp();
    await authority.maintain();
    expect(await authority.status()).toMatchObject({ noticesOnOffer: 0 });
    expect(world.logged.filter(({ message }) => message.includes('older than the log'))).toEqual([]);
  });

  it('does not undo a revocation that is given while it reads', async () => {
    const { world } = await newAuthority();
    const { records, courier, clock } = world.deps;
    const north = NORTH ?? secretOf('');
    let held = Promise.resolve();
    let release = (): void => {};
    const get: RecordStore['get'] = async (key) => {
      const until = held;
      const value = await records.get(key);
      await until;
      return value;
    };
    const entries = authorityEntries({ courier, clock, randomBytes: (length) => new Uint8Array(length) });
    const register = gatewayRegister({
      issuer,
      records: { ...records, get },
      book: statementBook(records),
      entries,
      log: world.deps.log,
    });
    await register.certify(north, 'north', TODAY);
    const certificate = decodeGatewayCertificate(certifyGateway(issuer, north, TODAY + 3));
    held = new Promise((resolve) => (release = resolve));
    const learned = register.learn({ certificates: [certificate], revocations: [] });
    held = Promise.resolve();
    const revoked = register.revoke(partyIdOf(north), 5);
    await Promise.race([revoked, new Promise(setImmediate)]);
    release();
    expect(await learned).toBe(1);
    await revoked;
    expect(await register.list()).toMatchObject([{ toDay: TODAY + 9, revokedFromMs: 5 }]);
  });
});
