import { afterEach, describe, expect, it } from 'vitest';
import { auditByWire } from '../../authority/credentials/enrolment-client.js';
import { openEnrolmentHttp, type EnrolmentHttp } from '../../authority/http.js';
import { RecentAsks } from '../../authority/looks/recent-asks.js';
import type { AuditBook } from '../../authority/looks/audit-book.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { asTagNumber } from '../../protocol/brands.js';
import { hpkeOpen } from '../../protocol/crypto/hpke.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { FirebreakError } from '../../protocol/errors.js';
import { silentLog, type Log, type LogFields } from '../../protocol/log.js';
import { firstEpochOfDay } from '../../protocol/time.js';
import { logKey, MemoryLog } from '../tracer/memory-log.js';
import { codeOf, withFlippedBit } from '../protocol/errors-of.js';
import { AuditedTag, bookOn, dayKeys, deskOn, EPOCH_NOW, logged, lookAt, WALL_MS } from './audited.js';
import { TODAY } from './fixture.js';

/** Numbers that stand out in bytes and in text. */
const CASE = 0xc0ffee112233;
const ME = 0xabcdef445566;
const OTHERS = [0x111122223333, 0xdddd44447777, 0xeeee55558888];
const MINUTE = 60_000;

function ward(): MemoryLog {
  const log = new MemoryLog().fill(3);
  logged(
    log,
    lookAt(
      [CASE],
      [...OTHERS, ME].sort((x, y) => x - y),
    ),
  );
  logged(log, lookAt([CASE], OTHERS));
  return log;
}

const numberOf = (tag: number) => Buffer.from(tag.toString(16).padStart(12, '0'), 'hex');

describe('the audit desk', () => {
  it('tells a tag who looked at it, sealed to the key in its request, and names nobody else', async () => {
    const log = ward();
    const tag = new AuditedTag(ME);
    const request = tag.request();
    const sealed = await deskOn(bookOn(log)).audit(request);
    const { looks, note, older } = tag.open(sealed, request);
    expect(looks).toMatchObject([
      { role: 'reached', asked: { officer: 'Dr. Ada', purpose: 'measles, ward 4' } },
    ]);
    expect(openCheckpoint(note, logKey).size).toBe(5);
    expect(older).toBe(0);

    expect(sealed.length).toBe(32 + 4096 + 16);
    const plaintext = hpkeOpen({
      recipientSecretKey: tag.reply.secretKey,
      enc: sealed.subarray(0, 32),
      info: Buffer.from('firebreak/audit-answer/v1'),
      aad: sha256(request),
      ciphertext: sealed.subarray(32),
    });
    for (const other of [CASE, ...OTHERS]) {
      expect(Buffer.from(plaintext).includes(numberOf(other))).toBe(false);
      expect(Buffer.from(plaintext).includes(String(other))).toBe(false);
      expect(JSON.stringify(looks)).not.toContain(String(other));
    }
  });

  it('tells the case its role, and somebody else nothing', async () => {
    const desk = deskOn(bookOn(ward()));
    const [asCase, stranger] = [new AuditedTag(CASE), new AuditedTag(5)];
    const [mine, theirs] = [asCase.request(), stranger.request()];
    expect(asCase.open(await desk.audit(mine), mine).looks.map(({ role }) => role)).toEqual(['case', 'case']);
    expect(stranger.open(await desk.audit(theirs), theirs)).toMatchObject({ looks: [], unreadCount: 0 });
  });

  it('has an answer of one length for a few looks and none', async () => {
    const log = new MemoryLog();
    for (let k = 0; k < 8; k += 1) logged(log, lookAt([CASE], [ME]));
    const desk = deskOn(bookOn(log));
    const lengths = await Promise.all([ME, 5].map(async (tag) => (await desk.audit(new AuditedTag(tag).request())).length)); // prettier-ignore
    expect(new Set(lengths).size).toBe(1);
  });

  it('lists the newest looks where not all have room', async () => {
    const log = new MemoryLog();
    const purpose = 'p'.repeat(2_048);
    for (let k = 0; k < 600; k += 1) logged(log, lookAt([CASE], [ME], { purpose, hops: k }));
    const tag = new AuditedTag(ME);
    const request = tag.request();
    const sealed = await deskOn(bookOn(log)).audit(request);
    expect(sealed.length).toBe(32 + 1_048_576 + 16);
    const { looks, older } = tag.open(sealed, request);
    expect(looks.length + older).toBe(600);
    expect(looks.length).toBeGreaterThan(400);
    expect(looks.at(-1)?.asked?.hops).toBe(599);
  });

  it.each([
    ['made long ago', { wallMs: WALL_MS - 2 * MINUTE - 1 }, 'permission'],
    ['dated ahead', { wallMs: WALL_MS + 2 * MINUTE + 1 }, 'permission'],
    ['with a credential of another issuer', { by: 'somebody' }, 'credential-signature'],
    ['with a credential of a time to come', { epoch: EPOCH_NOW + 2 }, 'epoch'],
    ['with a credential past retention', { epoch: firstEpochOfDay(TODAY - 22) }, 'epoch'],
    ['with a credential of a day without keys', { epoch: firstEpochOfDay(TODAY - 5) }, 'not-found'],
  ] as const)('refuses a request %s', async (_what, changes, code) => {
    const desk = deskOn(bookOn(ward()));
    await expect(desk.audit(new AuditedTag(ME).request(changes))).rejects.toMatchObject({ code });
  });

  it('says of credentials that are too old for how long reports are kept, and what to do', async () => {
    const request = new AuditedTag(ME).request({ epoch: firstEpochOfDay(TODAY - 22) });
    await expect(deskOn(bookOn(ward())).audit(request)).rejects.toThrow(
      /not renewed its credentials for longer than reports are kept \(21 days\).*firebreak tag run/,
    );
  });

  it('refuses a request whose ephemeral ID is of another epoch', async () => {
    const tag = new AuditedTag(ME);
    const yesterday = firstEpochOfDay(TODAY - 1) + 7;
    const desk = deskOn(bookOn(ward()), { keysOf: async () => dayKeys.get(TODAY) });
    await expect(desk.audit(tag.request({ epoch: yesterday }))).rejects.toMatchObject({
      code: 'ephemeral-id',
    });
  });

  it('takes the last credential of a tag that was switched off within retention', async () => {
    const tag = new AuditedTag(ME);
    const request = tag.request({ epoch: firstEpochOfDay(TODAY - 21) + 95 });
    const desk = deskOn(bookOn(ward()));
    expect(tag.open(await desk.audit(request), request).looks).toHaveLength(1);
  });

  it('refuses a request with any bit turned over', async () => {
    const desk = deskOn(bookOn(ward()));
    const request = new AuditedTag(ME).request();
    for (let bit = 0; bit < request.length * 8; bit += 13)
      await expect(desk.audit(withFlippedBit(request, bit))).rejects.toMatchObject({
        code: expect.stringMatching(/^(format|credential-signature|signature)$/) as string,
      });
    await expect(desk.audit(request.subarray(1))).rejects.toMatchObject({ code: 'format' });
  });

  it('refuses a request that came before, as long as it is fresh', async () => {
    let wallMs = WALL_MS - 2 * MINUTE;
    const desk = deskOn(bookOn(ward()), { wallMs: () => wallMs });
    const request = new AuditedTag(ME).request();
    await desk.audit(request);
    for (const later of [0, MINUTE, 4 * MINUTE]) {
      wallMs = WALL_MS - 2 * MINUTE + later;
      await expect(desk.audit(request)).rejects.toMatchObject({ code: 'exists' });
    }
    wallMs += 1;
    await expect(desk.audit(request)).rejects.toMatchObject({ code: 'permission' });
  });

  it('refuses a tag that asks again and again, and no other', async () => {
    let wallMs = WALL_MS;
    const desk = deskOn(bookOn(ward()), { wallMs: () => wallMs });
    const ask = (tag: number, k: number) =>
      desk.audit(new AuditedTag(tag).request({ nonceName: `n${k}`, wallMs }));
    for (let k = 0; k < 8; k += 1) await ask(ME, k);
    await expect(ask(ME, 8)).rejects.toMatchObject({ code: 'busy' });
    await ask(5, 0);
    wallMs += 4 * MINUTE + 1;
    await ask(ME, 9);
  });

  it('answers a few at once, and sends others away', async () => {
    let go = () => {};
    const gate = new Promise<void>((resolve) => (go = resolve));
    const real = bookOn(ward());
    const book: AuditBook = { ...real, catchUp: () => real.catchUp(), looksAt: (tag) => gate.then(() => real.looksAt(tag)) }; // prettier-ignore
    const desk = deskOn(book);
    const asked = Array.from({ length: 9 }, (_, tag) => desk.audit(new AuditedTag(tag).request()));
    const codes = asked.map((one) => one.then(() => 'answered', (error: { code: string }) => error.code)); // prettier-ignore
    expect(await Promise.race(codes)).toBe('busy');
    go();
    expect((await Promise.all(codes)).sort()).toEqual([...Array<string>(8).fill('answered'), 'busy']);
  });

  it('answers nobody while the ledger cannot be read, and then again', async () => {
    const log = ward();
    const desk = deskOn(bookOn(log));
    log.failing = { call: 'checkpoint', error: new Error('away') };
    await expect(desk.audit(new AuditedTag(ME).request())).rejects.toMatchObject({
      code: 'busy',
      cause: { message: 'away' },
    });
    const tag = new AuditedTag(ME);
    const request = tag.request({ nonceName: 'again' });
    expect(tag.open(await desk.audit(request), request).looks).toHaveLength(1);
  });
});

describe('an answer to an audit', () => {
  it('is refused when it was made for another request, changed, or signed by another', async () => {
    const desk = deskOn(bookOn(ward()));
    const tag = new AuditedTag(ME);
    const [request, other] = [tag.request(), tag.request({ nonceName: 'other' })];
    const sealed = await desk.audit(request);
    expect(codeOf(() => tag.open(sealed, other))).toBe('sealing');
    for (let bit = 5; bit < sealed.length * 8; bit += 997)
      expect(codeOf(() => tag.open(withFlippedBit(sealed, bit), request))).toBe('sealing');
    const { publicKey } = logKey;
    expect(codeOf(() => tag.open(sealed, request, publicKey))).toBe('signature');
  });
});

describe('what was asked lately', () => {
  it('is forgotten when it is old, a tag at a time', () => {
    const recent = new RecentAsks(1_000);
    const tag = asTagNumber(1);
    for (let k = 0; k < 8; k += 1) recent.note(tag, `hash ${k}`, 100 * k);
    expect(codeOf(() => recent.note(tag, 'one more', 900))).toBe('busy');
    expect(codeOf(() => recent.note(tag, 'hash 0', 1_000))).toBe('exists');
    recent.note(tag, 'hash 0', 1_001);
    expect(codeOf(() => recent.note(tag, 'one more', 1_001))).toBe('busy');
  });

  it('is forgotten when the clock that dated it was ahead, and is set right', () => {
    const recent = new RecentAsks(1_000);
    const tag = asTagNumber(1);
    for (let k = 0; k < 8; k += 1) recent.note(tag, `ahead ${k}`, 900_000 + k);
    recent.note(tag, 'now', 100);
    expect(codeOf(() => recent.note(tag, 'now', 200))).toBe('exists');
  });

  it('is bounded', () => {
    const recent = new RecentAsks(1_000);
    for (let k = 0; k < 65_536; k += 1) recent.note(asTagNumber(k), `${k}`, 0);
    expect(codeOf(() => recent.note(asTagNumber(99_999), 'x', 0))).toBe('busy');
    recent.note(asTagNumber(99_999), 'x', 1_001);
  });
});

describe('an audit by wire', () => {
  const opened: EnrolmentHttp[] = [];
  afterEach(async () => {
    for (const http of opened.splice(0)) await http.close();
  });
  const nobody = async () => new Uint8Array();
  async function serve(
    audit?: (request: Uint8Array) => Promise<Uint8Array>,
    log: Log = silentLog,
  ): Promise<string> {
    const service = { enrol: nobody, renew: nobody, ...(audit && { audit }) };
    const http = await openEnrolmentHttp({ service, log });
    opened.push(http);
    return `http://127.0.0.1:${http.port}`;
  }

  it('gives what the desk gives, also a long answer', async () => {
    const url = await serve(deskOn(bookOn(ward())).audit);
    const tag = new AuditedTag(ME);
    const request = tag.request();
    expect(tag.open(await auditByWire({ url }, request), request).looks).toHaveLength(1);
    await expect(auditByWire({ url }, request)).rejects.toMatchObject({ code: 'exists' });
    const late = tag.request({ wallMs: WALL_MS - 3 * MINUTE });
    await expect(auditByWire({ url }, late)).rejects.toMatchObject({ code: 'permission' });
    const long = await serve(async () => new Uint8Array(1_048_624));
    expect(await auditByWire({ url: long }, request)).toHaveLength(1_048_624);
    const tooLong = await serve(async () => new Uint8Array(1_048_625));
    await expect(auditByWire({ url: tooLong }, request)).rejects.toMatchObject({ code: 'size' });
  });

  const URL_INSIDE = 'http://10.20.30.40:8471';

  it.each(['unreachable', 'timeout', 'permission', 'not-found', 'format', 'closed', 'damaged'] as const)(
    'says why the log cannot be read to the authority’s own log alone: %s',
    async (code) => {
      const why = `the ledger at ${URL_INSIDE} and /srv/ledger/read.token`;
      const looksAt = async () => Promise.reject(new FirebreakError(code, why));
      const said: string[] = [];
      const error = (message: string, fields?: LogFields) =>
        void said.push(JSON.stringify([message, fields]));
      const desk = deskOn({ ...bookOn(ward()), looksAt });
      const url = await serve(desk.audit, { ...silentLog, error });
      const headers = { 'content-type': 'application/octet-stream' };
      const body = new Uint8Array(new AuditedTag(ME).request());
      const response = await fetch(`${url}/audit`, { method: 'POST', headers, body });
      expect([response.status, await response.json()]).toEqual([
        503,
        { code: 'busy', message: 'the authority cannot read the log at this time; ask again later' },
      ]);
      expect(said).toEqual([expect.stringContaining(URL_INSIDE)]);
    },
  );

  it.each(['consistency', 'chain', 'signature', 'witness'] as const)(
    'says of a log that does not add up what is wrong with it: %s',
    async (code) => {
      const looksAt = async () => Promise.reject(new FirebreakError(code, 'it is another log'));
      const url = await serve(deskOn({ ...bookOn(ward()), looksAt }).audit);
      const asked = auditByWire({ url }, new AuditedTag(ME).request());
      await expect(asked).rejects.toMatchObject({ code, message: 'it is another log' });
    },
  );

  it('is not found where no log is read, or asked in another way', async () => {
    const without = await serve();
    await expect(auditByWire({ url: without }, new Uint8Array(3))).rejects.toMatchObject({
      code: 'not-found',
    });
    const url = await serve(nobody);
    expect((await fetch(`${url}/audit`)).status).toBe(404);
    expect((await fetch(`${url}/audit`, { method: 'POST', body: 'x' })).status).toBe(400);
  });
});
