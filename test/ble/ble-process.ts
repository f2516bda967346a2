/**
 * A process with one Bluetooth radio, for tests: noble and bleno are one instance per process. It hands its radio to the test
 * over a unix socket, as a hosted air hands out its nodes. Told what to do by its arguments; see stages.ts.
 */
import { liveClock } from '../../host/clock-live.js';
import { silentLog } from '../../protocol/log.js';
import { serveAir } from '../../radio/socket/air-socket-server.js';
import { parseAdapter } from '../../radio/ble/adapter-name.js';
import { openBleRadio } from '../../radio/ble/open-ble-radio.js';
import { STAGE_TIMES } from './stage-times.js';

const [, , path = '', stack = '', scan = '', advertise = ''] = process.argv;

process.on('disconnect', () => process.exit()); // the test that started us is gone
try {
  const radio = await openBleRadio({
    scanAdapter: parseAdapter(scan),
    advertiseAdapter: parseAdapter(advertise),
    stack: stack === 'stoprocent' ? 'stoprocent' : 'abandonware',
    clock: liveClock(),
    log: process.env['BLE_LOG'] === undefined ? silentLog : console,
    scanDuty: { intervalMs: 10, windowMs: 10 },
    times: STAGE_TIMES,
  });
  await serveAir({ at: { path }, join: () => radio, log: silentLog });
  process.send?.('ready');
} catch (error) {
  process.send?.(String(error));
}
