import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { silentLog } from '../../../protocol/log.js';
import { logWarnings } from '../../../radio/ble/noble-warnings.js';

it('what noble warns of is logged without whom it was about', () => {
  const reasons: unknown[] = [];
  const printed: unknown[] = [];
  const noble = Object.assign(new EventEmitter(), { startScanning() {}, stopScanning() {} });
  noble.on('warning', (reason) => printed.push(reason));
  logWarnings(noble, { ...silentLog, warn: (_, fields) => void reasons.push(fields?.['reason']) });
  noble.emit('warning', 'unknown peripheral c10203040506 connected!');
  noble.emit('warning', 'unknown service c10203040506, fe01 characteristics discover!');
  noble.emit('warning', new Error('no C1:02:03:04:05:06 here'));
  expect(reasons).toEqual([
    'unknown service (an address), fe01 characteristics discover!',
    'Error: no (an address) here',
  ]);
  expect(printed).toEqual([]);
});
