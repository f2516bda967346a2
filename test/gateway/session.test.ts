import { describe, expect, it } from 'vitest';
import { concat } from '../../protocol/bytes.js';
import { encodeCredentialRequest } from '../../protocol/tag/credential-request.js';
import {
  encodeGatewayCertificate,
  issueGatewayCertificate,
} from '../../protocol/session/gateway-certificate.js';
import { openHello } from '../../protocol/session/hello.js';
import { FirebreakError } from '../../protocol/errors.js';
import { silentLog } from '../../protocol/log.js';
import { signNotice } from '../../protocol/tag/notice.js';
import { decodeRefreshSlice, encodeRefreshRequest } from '../../protocol/session/refresh.js';
import type { RefreshKind } from '../../protocol/session/refresh.js';
import {
  decodeReport,
  MAX_REPORT_BYTES,
  REPORT_KINDS,
  reportHash,
  sealReport,
} from '../../protocol/tag/report.js';
import { signRevocation } from '../../protocol/session/revocation.js';
import { asUnixMs } from '../../protocol/brands.js';
import { NOTICES_TOPIC, REVOCATIONS_TOPIC } from '../../protocol/mqtt/topics.js';
import { encodeUploadHeader, uploadWrites } from '../../protocol/session/upload.js';
import { epochSigner, gateway, issuer, secret, vectors } from '../protocol/tag-vectors.js';
import { DAY_MS, NOW_MS, sessionAt, stand } from './stand.js';
import type { TestSession } from './stand.js';

const { report_one: one, report_nine: nine } = vectors;

/** Report one for another session. */
function sealedFor(nonce: Uint8Array, changes: Partial<Parameters<typeof sealReport>[0]> = {}): Uint8Array {
  const { credential } = decodeReport(one.bytes);
  const { issuerId, day, sealingPublicKey, gatewayId } = vectors;
  const given = { issuerId, day, sealingPublicKey, gatewayId, nonce, credential, signer: epochSigner };
  return sealReport({ ...given, plaintext: one.plaintext, ...changes });
}

async function refreshed(session: TestSession, what: RefreshKind, between?: () => void): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let [offset, total] = [0, 1]; offset < total;) {
    await session.write('refresh', encodeRefreshRequest({ what, offset }));
    const slice = decodeRefreshSlice(await session.read('refresh'));
    between?.();
    total = slice.totalBytes;
    offset += slice.bytes.length;
    parts.push(slice.bytes);
  }
  return concat(...parts);
}

const noticeNumber = (number: number): Uint8Array =>
  signNotice(
    issuer,
    { day: vectors.day, number, code: 1, tokens: Array.from({ length: 100 }, (_, k) => secret(`t${k}`, 8)) },
    (length) => secret(`padding ${number}`, length),
  );

describe('a session at a gateway', () => {
  it('says the hello of the vectors, byte for byte', async () => {
    const { desk, clock } = await stand();
    await clock.run(Math.max(NOW_MS, openHello(vectors.hello, issuer.publicKey).timeMs));
    expect(await sessionAt(desk).read('hello')).toEqual(vectors.hello);
  });

  it('has a nonce of its own', async () => {
    const { desk } = await stand();
    const nonces = [desk.freshNonce(), desk.freshNonce()].map(String);
    expect(new Set(nonces).size).toBe(2);
  });

  it.each([244, 512, 125])(
    'takes a report in pieces of %d bytes, keeps it, then receipts it',
    async (pieces) => {
      const { desk, courier } = await stand();
      const session = sessionAt(desk);
      const receipt = await session.upload(nine.bytes, pieces);
      expect(receipt).toEqual({
        gatewayId: vectors.gatewayId,
        reportHash: reportHash(nine.bytes),
        receivedAtMs: NOW_MS,
        refusal: undefined,
      });
      expect(courier.items).toEqual([{ type: 1, timeMs: NOW_MS, payload: nine.bytes }]);
      expect(desk.counts.accepted).toBe(1);
    },
  );

  it.each(Object.entries(vectors.refusedByGateway))(
    'refuses %s for its reason, and keeps nothing',
    async (_, given) => {
      const { desk, courier } = await stand();
      const receipt = await sessionAt(desk).upload(given.bytes);
      expect(receipt).toMatchObject({
        refusal: given.reason.replace(' ', '-'),
        reportHash: reportHash(given.bytes),
      });
      expect(courier.items).toEqual([]);
      expect([...desk.counts.refused]).toEqual([[given.reason.replace(' ', '-'), 1]]);
    },
  );

  it('takes the same report twice as one, with the same receipt', async () => {
    const { desk, courier, clock } = await stand();
    const session = sessionAt(desk);
    const first = await session.upload(one.bytes);
    await clock.advance(5000);
    expect(await session.upload(one.bytes)).toEqual(first);
    expect(courier.items).toHaveLength(1);
    expect(desk.counts.accepted).toBe(1);
  });

  it('goes on after a refusal', async () => {
    const { desk } = await stand();
    const session = sessionAt(desk);
    expect(await session.upload(sealedFor(secret('other', 16)))).toMatchObject({ refusal: 'session' });
    expect(await session.upload(one.bytes)).toMatchObject({ refusal: undefined });
    expect(await session.upload(nine.bytes)).toMatchObject({ refusal: undefined });
  });

  it('refuses an upload with too many bytes, an empty piece or another hash as format, and begins anew', async () => {
    const { desk, courier } = await stand();
    const session = sessionAt(desk);
    const header = encodeUploadHeader({ totalBytes: one.bytes.length, reportHash: reportHash(nine.bytes) });
    for (const pieces of [[one.bytes], [new Uint8Array(0)], [one.bytes.subarray(1), new Uint8Array(2)]]) {
      await session.write('upload', header);
      for (const piece of pieces) await session.write('upload', piece);
      expect(session.receipts.at(-1)).toMatchObject({
        refusal: 'format',
        reportHash: reportHash(nine.bytes),
      });
    }
    expect(courier.items).toEqual([]);
    expect(await session.upload(one.bytes)).toMatchObject({ refusal: undefined });
  });

  it('takes a header in the middle of an upload as bytes of it', async () => {
    const { desk, courier } = await stand();
    const session = sessionAt(desk);
    const [header, first] = uploadWrites(one.bytes, 244);
    if (header === undefined || first === undefined) throw new Error('no writes');
    await session.write('upload', header);
    await session.write('upload', first);
    await session.write('upload', header);
    await session.write('upload', one.bytes.subarray(244 + 36));
    expect(session.receipts).toMatchObject([{ refusal: 'format' }]);
    expect(courier.items).toEqual([]);
  });

  it.each([0, MAX_REPORT_BYTES + 1, 2 ** 32 - 1])(
    'refuses an upload of %d bytes at its header as format, for the hash in it, and begins anew',
    async (totalBytes) => {
      const { desk } = await stand();
      const session = sessionAt(desk);
      const reportHash = secret('a report that cannot be');
      await session.write('upload', encodeUploadHeader({ totalBytes, reportHash }));
      expect(session.receipts).toMatchObject([{ refusal: 'format', reportHash }]);
      expect([...desk.counts.refused]).toEqual([['format', 1]]);
      expect(await session.upload(one.bytes)).toMatchObject({ refusal: undefined });
    },
  );

  it('gives no receipt for a first write that is no header, for it names no report', async () => {
    const { desk } = await stand();
    const session = sessionAt(desk);
    for (const length of [0, 35, 37, 244])
      await expect(session.write('upload', new Uint8Array(length))).rejects.toMatchObject({ code: 'format' });
    expect(session.receipts).toEqual([]);
    expect(await session.upload(one.bytes)).toMatchObject({ refusal: undefined });
  });

  it.each([
    ['the spool is full', new FirebreakError('full', 'full')],
    ['the disk is broken', new FirebreakError('damaged', 'broken')],
  ])('says busy while %s, and takes the report once it is not', async (_, failure) => {
    const { desk, courier } = await stand();
    const session = sessionAt(desk);
    courier.failure = failure;
    expect(await session.upload(one.bytes)).toMatchObject({ refusal: 'busy' });
    courier.failure = undefined;
    expect(await session.upload(one.bytes)).toMatchObject({ refusal: undefined });
    expect(desk.counts.accepted).toBe(1);
  });

  it('says in the log that the spool is full, but not for each of the tags it meets', async () => {
    const said: string[] = [];
    const { desk, courier } = await stand({
      log: { ...silentLog, warn: (message) => void said.push(message) },
    });
    courier.failure = new FirebreakError('full', 'full');
    for (let tag = 0; tag < 100; tag += 1)
      expect(await sessionAt(desk).upload(one.bytes)).toMatchObject({ refusal: 'busy' });
    expect(said).toHaveLength(7);
    expect(desk.counts.refused.get('busy')).toBe(100);
    expect(desk.whyNotKept).toBe('full');
    courier.failure = undefined;
    expect(await sessionAt(desk).upload(one.bytes)).toMatchObject({ refusal: undefined });
    expect(desk.whyNotKept).toBeUndefined();
    courier.failure = new FirebreakError('full', 'full once more, years later');
    await sessionAt(desk).upload(one.bytes);
    expect(said).toHaveLength(8);
  });

  it('says of a report that is on disk nothing else, though the tag does not hear it', async () => {
    const { desk, courier } = await stand();
    const session = sessionAt(desk);
    session.isSubscribed = false;
    await expect(session.upload(one.bytes)).rejects.toMatchObject({ code: 'unreachable' });
    session.isSubscribed = true;
    expect(await session.upload(one.bytes)).toMatchObject({ refusal: undefined });
    expect(courier.items).toHaveLength(1);
    expect([...desk.counts.refused]).toEqual([]);
  });

  it('takes only so many reports a session', async () => {
    const { desk, courier } = await stand();
    const session = sessionAt(desk);
    for (let count = 0; count < 128; count += 1)
      expect(await session.upload(sealedFor(vectors.gatewayNonce))).toMatchObject({ refusal: undefined });
    expect(await session.upload(sealedFor(vectors.gatewayNonce))).toMatchObject({ refusal: 'busy' });
    expect(courier.items).toHaveLength(128);
  });

  it('takes no more of a tag that comes again at once: only in another epoch', async () => {
    const { desk, courier, clock } = await stand();
    for (let visit = 0; visit < 2; visit += 1)
      for (let count = 0, session = sessionAt(desk); count < 64; count += 1)
        expect(await session.upload(sealedFor(vectors.gatewayNonce))).toMatchObject({ refusal: undefined });
    expect(await sessionAt(desk).upload(one.bytes)).toMatchObject({ refusal: 'busy' });
    expect(courier.items).toHaveLength(128);
    await clock.advance(900_000 - (NOW_MS % 900_000));
    expect(await sessionAt(desk).upload(one.bytes)).toMatchObject({ refusal: undefined });
  });

  it('ends with the epoch: nothing more is read or written', async () => {
    const { desk, clock, courier } = await stand();
    const session = sessionAt(desk);
    await session.read('hello');
    const leftMs = 900_000 - (NOW_MS % 900_000);
    await clock.advance(leftMs - 1);
    await session.read('hello');
    expect(session.isClosed()).toBe(false);
    await clock.advance(1);
    await expect(session.upload(one.bytes)).rejects.toMatchObject({ code: 'epoch' });
    await expect(session.read('hello')).rejects.toMatchObject({ code: 'epoch' });
    expect(session.isClosed()).toBe(true);
    expect(courier.items).toEqual([]);
  });

  it('refuses characteristics that are not for that', async () => {
    const session = sessionAt((await stand()).desk);
    await expect(session.read('upload')).rejects.toMatchObject({ code: 'format' });
    await expect(session.read('refresh')).rejects.toMatchObject({ code: 'format' });
    await expect(session.write('hello', new Uint8Array(1))).rejects.toMatchObject({ code: 'format' });
    await expect(session.write('refresh', new Uint8Array(5))).rejects.toMatchObject({ code: 'format' });
  });

  it('hands out a notice whole, also when the next one comes in between, and the next one after', async () => {
    const { desk, downlink } = await stand();
    const session = sessionAt(desk);
    expect(await refreshed(session, 'notices')).toHaveLength(0);
    downlink.publish(NOTICES_TOPIC, noticeNumber(5));
    const next = () => downlink.publish(NOTICES_TOPIC, noticeNumber(6));
    expect(await refreshed(session, 'notices', next)).toEqual(noticeNumber(5));
    const both = concat(noticeNumber(6), noticeNumber(5));
    expect(await refreshed(session, 'notices')).toEqual(both);
    downlink.publish(NOTICES_TOPIC, noticeNumber(5));
    downlink.publish(NOTICES_TOPIC, new Uint8Array(0));
    downlink.publish(NOTICES_TOPIC, noticeNumber(7).fill(0, -1));
    expect(await refreshed(session, 'notices')).toEqual(both);
    expect((await stand()).desk.notices()).toEqual([]);
  });

  it('hands out no notice of a day whose keys no tag has any more', async () => {
    const { desk, downlink, clock } = await stand();
    downlink.publish(NOTICES_TOPIC, noticeNumber(5));
    await clock.run(NOW_MS + 21 * DAY_MS);
    expect(desk.notices()).toHaveLength(1);
    await clock.run(NOW_MS + 22 * DAY_MS);
    expect(desk.notices()).toEqual([]);
  });
});

describe('a request for credentials', () => {
  const epochPublicKeys = Array.from({ length: 96 }, (_, k) => secret(`epoch key ${k}`));
  const plaintext = encodeCredentialRequest({
    replyPublicKey: secret('reply'),
    firstDay: vectors.day + 1,
    days: 1,
    epochPublicKeys,
  });
  const request = sealedFor(vectors.gatewayNonce, { kind: REPORT_KINDS.request, plaintext });

  it('is answered with the pack for it, sealed once for all its slices, and put into no spool', async () => {
    let sealed = 0;
    const packs = {
      packFor: async (asked: Uint8Array) => {
        sealed += 1;
        return concat(asked, asked).fill(sealed, 0, 4);
      },
    };
    const { desk, courier } = await stand({ packs });
    const session = sessionAt(desk);
    expect(await refreshed(session, 'pack')).toHaveLength(0);
    expect(await session.upload(request)).toMatchObject({ refusal: undefined });
    const pack = await refreshed(session, 'pack');
    expect(pack).toEqual(concat(request, request).fill(1, 0, 4));
    expect([sealed, courier.items.length]).toEqual([1, 0]);
  });

  it('is told busy at a gateway that has no way to the authority', async () => {
    const { desk, courier } = await stand();
    expect(await sessionAt(desk).upload(request)).toMatchObject({ refusal: 'busy' });
    expect(courier.items).toEqual([]);
  });
});

describe('a gateway without its rights', () => {
  const certificateOf = (fromDay: number, publicKey = gateway.publicKey, by = issuer): Uint8Array =>
    encodeGatewayCertificate(
      issueGatewayCertificate(by, { gatewayPublicKey: publicKey, fromDay, toDay: fromDay + 6 }),
    );

  it.each([
    ['ended with', 'bring gateways/NAME/certificate', certificateOf(vectors.day - 7)],
    ['begins on', 'set the clock', certificateOf(vectors.day + 1)],
    ['is another gateway’s', 'for this key', certificateOf(vectors.day, secret('other'))],
    ['is not signed by', 'authority', certificateOf(vectors.day, gateway.publicKey, epochSigner)],
    ['cannot be read', 'another version', new Uint8Array(109)],
  ])(
    'says busy, and why, when its certificate %s, and serves again with a new one',
    async (what, more, certificate) => {
      let current = certificate;
      const { desk } = await stand({ certificate: () => current });
      const session = sessionAt(desk);
      await expect(session.read('hello')).rejects.toMatchObject({ code: 'busy' });
      expect(await session.upload(one.bytes)).toMatchObject({ refusal: 'busy' });
      expect(desk.trouble()).toContain(`its certificate ${what}`);
      expect(desk.trouble()).toContain(more);
      current = certificateOf(vectors.day);
      expect(desk.trouble()).toBeUndefined();
      expect(openHello(await session.read('hello'), issuer.publicKey).certificate.toDay).toBe(
        vectors.day + 6,
      );
      expect(await session.upload(one.bytes)).toMatchObject({ refusal: undefined });
    },
  );

  it('says busy when the day keys of the day have not arrived', async () => {
    const { desk, clock } = await stand({ certificate: () => certificateOf(vectors.day) });
    expect(desk.trouble()).toBeUndefined();
    await clock.advance(DAY_MS);
    expect(desk.trouble()).toContain('day keys');
    await expect(sessionAt(desk).read('hello')).rejects.toMatchObject({ code: 'busy' });
  });

  it('says that the deployment has ended, as its sunset has it, once there are no day keys any more', async () => {
    const { desk, clock } = await stand({ sunsetDay: vectors.day + 1 });
    expect(desk.trouble()).toBeUndefined();
    await clock.advance(9 * DAY_MS);
    const dateOf = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);
    expect(desk.trouble()).toBe(
      `this deployment ended with ${dateOf(vectors.day)}, and here it is ${dateOf(vectors.day + 9)}`,
    );
  });

  it('serves on past the sunset that it was told, while it has day keys', async () => {
    const { desk } = await stand({ sunsetDay: vectors.day });
    expect(desk.trouble()).toBeUndefined();
  });

  it('serves nobody from the time it is revoked, also in sessions begun before, and for good', async () => {
    const { desk, downlink, clock } = await stand();
    const session = sessionAt(desk);
    const fromMs = asUnixMs(NOW_MS + 1000);
    const { gatewayId } = vectors;
    const other = signRevocation(issuer, { gatewayId: new Uint8Array(16), fromMs: asUnixMs(0) });
    downlink.publish(REVOCATIONS_TOPIC, concat(other, signRevocation(issuer, { gatewayId, fromMs })));
    downlink.publish(REVOCATIONS_TOPIC, signRevocation(epochSigner, { gatewayId, fromMs: asUnixMs(0) }));
    await session.read('hello');
    await clock.advance(1000);
    await expect(session.read('hello')).rejects.toMatchObject({ code: 'busy' });
    expect(await session.upload(one.bytes)).toMatchObject({ refusal: 'busy' });
    downlink.publish(REVOCATIONS_TOPIC, new Uint8Array(0));
    expect(desk.trouble()).toContain('revoked');
  });
});
