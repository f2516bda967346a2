import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  certifiedAt,
  decodeGatewayRecord,
  encodeGatewayRecord,
  withCertificate,
  withRevocation,
} from '../../ledger/store/gateway-record.js';
import { decodeDayRow, encodeDayRow } from '../../ledger/store/day-record.js';
import { openHeadFile } from '../../ledger/store/head-file.js';
import { SLOT_BYTES } from '../../ledger/store/head-slot.js';
import {
  decodeHashes,
  decodePayloads,
  encodeHashes,
  encodePayloads,
} from '../../ledger/http/payload-frames.js';
import {
  decodePayloadPlace,
  decodePayloadSegment,
  encodePayloadSegment,
  pieceOf,
  placeRowOf,
} from '../../ledger/store/store-payloads.js';
import { payloadKey } from '../../ledger/store/store-keys.js';
import { decodeBatchRow, encodeBatchRow } from '../../ledger/store/store-rows.js';
import {
  decodeEntrySegment,
  encodeEntrySegment,
  bundleOfSegments,
} from '../../ledger/store/store-segments.js';
import { decodeStateRow, encodeStateRow } from '../../ledger/store/store-state.js';
import { asTreeSize, asUnixMs } from '../../protocol/brands.js';
import { signCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { partyIdOf } from '../../protocol/keys.js';
import { noteSigner } from '../../protocol/tlog/note.js';
import { bundleOf } from '../../protocol/tlog/tile.js';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { logSigner, temporaryFolder } from './deployment.js';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const u48 = fc.integer({ min: 0, max: 2 ** 48 - 2 });
const counts = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 65_535 }), u48), { selector: ([key]) => key, maxLength: 9 })
  .map((pairs) => new Map(pairs));
const outcome = fc.oneof(
  u48.map((index) => ({ reason: 0, index })),
  fc.integer({ min: 1, max: 13 }).map((reason) => ({ reason, index: null })),
);

describe('rows of the store', () => {
  test('give back what was put in', () => {
    const batch = fc.record({
      writerId: bytes(16),
      seq: u48,
      batchHash: bytes(32),
      outcomes: fc.array(outcome, { maxLength: 256 }),
      size: u48.map(asTreeSize),
      root: bytes(32),
    });
    fc.assert(
      fc.property(
        batch,
        (one) => void expect(decodeBatchRow(encodeBatchRow(one), one.writerId, one.seq)).toEqual(one),
      ),
    );
    const state = fc.record({
      size: u48.map(asTreeSize),
      root: bytes(32),
      lastAppendedMs: fc.maxSafeNat().map(asUnixMs),
      previousLeaf: bytes(32),
      counters: fc.record({ batches: u48, duplicates: u48, entriesByType: counts, refusalsByNumber: counts }),
      checkpoint: fc.string({ unit: 'grapheme', maxLength: 200 }),
    });
    const row = fc.record({ state, commit: u48, indexedTo: u48 });
    fc.assert(fc.property(row, (one) => void expect(decodeStateRow(encodeStateRow(one))).toEqual(one)));
  });

  test('cut short are refused', () => {
    const row = encodeBatchRow({
      writerId: new Uint8Array(16),
      seq: 1,
      batchHash: new Uint8Array(32),
      outcomes: [{ reason: 0, index: 5 }],
      size: asTreeSize(6),
      root: new Uint8Array(32),
    });
    for (let length = 0; length < row.length; length++) {
      expect(() => decodeBatchRow(row.subarray(0, length), new Uint8Array(16), 1)).toThrow('too early');
    }
    expect(() => decodeBatchRow(Buffer.concat([row, Buffer.of(0)]), new Uint8Array(16), 1)).toThrow(
      'too many',
    );
  });
});

describe('payload segments', () => {
  test('give back what was put in, and are refused when cut short', () => {
    const payload = fc.record({ index: u48, payload: fc.uint8Array({ maxLength: 40 }) });
    const payloads = fc
      .uniqueArray(payload, { selector: ({ index }) => index, maxLength: 8 })
      .map((some) => some.sort((a, b) => a.index - b.index));
    fc.assert(
      fc.property(payloads, fc.nat(), (some, cut) => {
        const row = { key: payloadKey(20_000, 7), value: encodePayloadSegment(cut, some) };
        expect(pieceOf(row)).toMatchObject({ day: 20_000, offset: cut });
        const value = pieceOf(row).records;
        expect(decodePayloadPlace(placeRowOf(row).value)).toEqual({ offset: cut, length: value.length });
        const stored = decodePayloadSegment(value);
        expect(stored.map(({ index, payload }) => ({ index, payload: new Uint8Array(payload) }))).toEqual(
          some,
        );
        if (some.length === 0) return;
        const lastBytes = 10 + (some.at(-1)?.payload.length ?? 0);
        const shorter = value.subarray(0, value.length - 1 - (cut % (lastBytes - 1)));
        expect(() => decodePayloadSegment(shorter)).toThrow('cut short');
      }),
    );
  });
});

describe('what is known of a gateway', () => {
  const publicKey = new Uint8Array(32).fill(7);
  const day = (n: number) => n * 86_400_000;

  test('is every day of any of its certificates, joined where they touch, and survives storing', () => {
    const days = fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 6 })), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(days, fc.integer({ min: 0, max: 210 }), (certificates, asked) => {
        const record = certificates.reduce(
          (known, [fromDay, more]) => withCertificate(known, publicKey, { fromDay, toDay: fromDay + more }),
          withCertificate(undefined, publicKey, { fromDay: 0, toDay: 0 }),
        );
        const stored = decodeGatewayRecord(encodeGatewayRecord(record));
        expect(stored).toEqual(record);
        const expected =
          asked === 0 || certificates.some(([from, more]) => from <= asked && asked <= from + more);
        expect(certifiedAt(stored, day(asked) + 5)).toBe(expected);
      }),
    );
  });

  test('ends with the earliest revocation, in whatever order they come', () => {
    const certified = withCertificate(undefined, publicKey, { fromDay: 10, toDay: 12 });
    const revoked = withRevocation(
      withRevocation(certified, certified.gatewayId, day(12)),
      certified.gatewayId,
      day(11),
    );
    const renewed = withCertificate(withRevocation(revoked, revoked.gatewayId, day(13)), publicKey, {
      fromDay: 14,
      toDay: 15,
    });
    expect([day(11) - 1, day(11), day(14)].map((ms) => certifiedAt(renewed, ms))).toEqual([
      true,
      false,
      false,
    ]);
    const before = withRevocation(undefined, partyIdOf(publicKey), day(11));
    expect(certifiedAt(withCertificate(before, publicKey, { fromDay: 10, toDay: 12 }), day(12))).toBe(false);
  });
});

describe('payload frames', () => {
  const pruned = fc.record({
    day: u32,
    prunedAtMs: fc.maxSafeNat().map(asUnixMs),
    prunedBy: fc.maxSafeNat(),
  });

  test('carry payloads, their absence and their end in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.constant(undefined), pruned), {
          maxLength: 10,
        }),
        (payloads) => {
          expect(decodePayloads(encodePayloads(payloads), payloads.length)).toEqual(payloads);
          expect(() => decodePayloads(encodePayloads(payloads), payloads.length + 1)).toThrow(
            'does not hold',
          );
        },
      ),
    );
    const hashes = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    expect(decodeHashes(encodeHashes(hashes))).toEqual(hashes);
  });

  test('that claim more than they hold are refused', () => {
    expect(() => decodePayloads(Buffer.from('000000050102', 'hex'), 1)).toThrow('does not hold');
  });
});

describe('day rows', () => {
  test('give back what was put in, and are refused when they contradict themselves', () => {
    const at = fc.record({ by: u48, atMs: fc.maxSafeNat().map(asUnixMs), removed: fc.boolean() });
    const record = fc.record({
      day: u32,
      payloads: u48,
      payloadBytes: u48,
      destroyedBy: fc.option(u48, { nil: undefined }),
      pruned: fc.option(at, { nil: undefined }),
    });
    fc.assert(
      fc.property(record, (one) => {
        const row = encodeDayRow(one);
        expect(decodeDayRow(row, one.day)).toEqual(one);
        expect(() => decodeDayRow(row.subarray(0, -1), one.day)).toThrow('ends too early');
        if (one.pruned) return;
        row[32] = 1;
        expect(() => decodeDayRow(row, one.day)).toThrow('contradicts itself');
      }),
    );
  });
});

describe('segments of a bundle', () => {
  const entry = (n: number) => Buffer.from([n, n, n]);
  const segment = (firstIndex: number, ...numbers: number[]) => ({
    firstIndex,
    value: encodeEntrySegment(numbers.map((n) => ({ entry: entry(n), retentionDay: n }))),
  });

  test('are joined and cut to the width asked for', () => {
    const joined = bundleOfSegments(256, 3, [segment(256, 1, 2), segment(258, 3, 4)]);
    expect(Buffer.from(joined)).toEqual(Buffer.from(bundleOf([1, 2, 3].map(entry))));
  });

  test('keep the retention day of each entry beside it', () => {
    expect(decodeEntrySegment(segment(7, 1, 2).value).map(({ retentionDay }) => retentionDay)).toEqual([
      1, 2,
    ]);
  });

  test('name the first entry that is missing', () => {
    expect(() => bundleOfSegments(0, 4, [segment(0, 1), segment(2, 3, 4)])).toThrow('entry 1 is missing');
    expect(() => bundleOfSegments(0, 4, [segment(1, 1)])).toThrow('entry 0 is missing');
    expect(() => bundleOfSegments(0, 4, [segment(0, 1, 2, 3)])).toThrow('entry 3 is missing');
    const cut = { firstIndex: 0, value: segment(0, 1, 2).value.subarray(0, 18) };
    expect(() => bundleOfSegments(0, 2, [cut])).toThrow('entry 1 is missing');
  });
});

describe('the head file', () => {
  const head = (size: number) => ({
    commit: size + 1,
    checkpoint: signCheckpoint(
      { origin: logSigner.name, size: asTreeSize(size), root: new Uint8Array(32).fill(size) },
      logSigner,
    ),
  });

  test('remembers the last head, and the one before when the last was torn', async () => {
    const path = join(await temporaryFolder(), 'head');
    const first = openHeadFile(path);
    expect(first.found).toBeUndefined();
    for (const size of [1, 2, 3]) first.write(head(size));
    await first.close();
    const second = openHeadFile(path);
    expect(second.found).toMatchObject(head(3));
    await second.close();
    const bytes = await readFile(path);
    for (const [slot, kept] of [
      [1, 2],
      [0, 3],
    ] as const) {
      const torn = Buffer.from(bytes);
      torn.fill(0, slot * SLOT_BYTES + 20, (slot + 1) * SLOT_BYTES);
      await writeFile(path, torn);
      const third = openHeadFile(path);
      expect(third.found).toMatchObject({ size: kept, root: new Uint8Array(32).fill(kept) });
      await third.close();
    }
  });

  test('holds a checkpoint under the longest origin, and says that a longer one is too long', async () => {
    const signedAs = (origin: string): string =>
      signCheckpoint(
        { origin, size: asTreeSize(2 ** 45), root: new Uint8Array(32).fill(7) },
        noteSigner(origin, fastSigner(new Uint8Array(32).fill(1))),
      );
    const file = openHeadFile(join(await temporaryFolder(), 'head'));
    file.write({ commit: 2 ** 47, checkpoint: signedAs('o'.repeat(255)) });
    const tooLong = { commit: 3, checkpoint: signedAs('o'.repeat(500)) };
    expect(() => file.write(tooLong)).toThrow('shorter origin');
    await file.close();
  });
});
