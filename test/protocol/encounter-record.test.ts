import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from '../../protocol/bytes.js';
import {
  decodeEncounterRecord,
  encodeEncounterRecord,
  RECORD_BYTES,
} from '../../protocol/tag/encounter-record.js';
import type { EncounterRecord } from '../../protocol/tag/encounter-record.js';
import { bytesOf, records } from './arbitraries.js';
import { codeOf } from './errors-of.js';
import { vectors } from './tag-vectors.js';

const RESERVED_AT = 35;
const { recordBFields: fields } = vectors;

const recordB: EncounterRecord = {
  peerEphId: fields.eph,
  start: fields.start,
  durationSeconds: fields.duration,
  samples: fields.samples,
  bucketSeconds: fields.seconds,
  minAttenuationDb: fields.minAtt,
  medianAttenuationDb: fields.medAtt,
  peerTxPowerDbm: fields.tx,
  proofA: { minuteOffset: fields.proofA[0], mac: fields.proofA[1] },
  proofB: { minuteOffset: fields.proofB[0], mac: fields.proofB[1] },
};

describe('an encounter record', () => {
  test('is that of the vectors', () => {
    expect(encodeEncounterRecord(recordB)).toEqual(vectors.recordB);
    expect(decodeEncounterRecord(vectors.recordB)).toEqual(recordB);
  });

  test('is the same after encoding and decoding', () => {
    fc.assert(
      fc.property(records(), (record) => {
        expect(decodeEncounterRecord(encodeEncounterRecord(record))).toEqual(record);
      }),
    );
  });

  test('is the same bytes after decoding and encoding, or refused for its reserved byte', () => {
    fc.assert(
      fc.property(bytesOf(RECORD_BYTES), fc.boolean(), (random, isReserved) => {
        const bytes = random.slice();
        if (isReserved) bytes[RESERVED_AT] = 0;
        const decoded = () => decodeEncounterRecord(bytes);
        if (bytes[RESERVED_AT] === 0) expect(encodeEncounterRecord(decoded())).toEqual(bytes);
        else expect(codeOf(decoded)).toBe('reserved');
      }),
    );
  });

  test('is 50 bytes', () => {
    expect(codeOf(() => decodeEncounterRecord(vectors.recordB.subarray(1)))).toBe('format');
    expect(codeOf(() => decodeEncounterRecord(concat(vectors.recordB, Uint8Array.of(0))))).toBe('format');
  });
});
