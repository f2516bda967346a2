/** A process of its own for tests: opens a radio with the adapters and stack of its arguments and prints what came of it. */
import { liveClock } from '../../../host/clock-live.js';
import { silentLog } from '../../../protocol/log.js';
import { parseAdapter } from '../../../radio/ble/adapter-name.js';
import { openBleRadio } from '../../../radio/ble/open-ble-radio.js';

const [, , stack, scan = '', advertise = ''] = process.argv;
const settings = {
  scanAdapter: parseAdapter(scan),
  advertiseAdapter: parseAdapter(advertise),
  stack: stack === 'stoprocent' ? 'stoprocent' : 'abandonware',
  clock: liveClock(),
  log: silentLog,
} as const;
const outcome = await openBleRadio(settings).then(
  () => 'opened',
  (error: unknown) => error,
);
process.stdout.write(JSON.stringify({ outcome, message: outcome instanceof Error ? outcome.message : '' }));
process.exit();
