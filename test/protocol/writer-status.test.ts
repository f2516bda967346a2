import { expect, test } from 'vitest';
import { decodeWriterStatus, encodeWriterStatus } from '../../protocol/mqtt/writer-status.js';
import { codeOf } from './errors-of.js';

const status = { online: true, version: '0.1.0', spoolDepth: 3, oldestUnsentMs: 1_700_000_000_000 };

test('the status of a writer comes back from its JSON', () => {
  expect(decodeWriterStatus(encodeWriterStatus(status))).toEqual(status);
  const idle = { ...status, online: false, spoolDepth: 0, oldestUnsentMs: null };
  expect(decodeWriterStatus(encodeWriterStatus(idle))).toEqual(idle);
});

test('the status of a later version is read as far as it is known', () => {
  expect(decodeWriterStatus(JSON.stringify({ ...status, batteryPercent: 5 }))).toEqual(status);
});

test.each(['', '{', 'null', '[]', '{"online":true}', JSON.stringify({ ...status, spoolDepth: -1 })])(
  '%j is not the status of a writer',
  (json) => expect(codeOf(() => decodeWriterStatus(json))).toBe('format'),
);
