/** `npm run bench -- NAME`: measurements, each in a file of its own. Timings belong here, never into tests. */
import { parseArgs } from 'node:util';
import { benchBle } from './ble.js';
import { benchClusterCity } from './cluster-city/cluster-city.js';
import { benchClusters } from './clusters.js';
import { benchCrash } from './crash.js';
import { benchEnrolment } from './enrolment.js';
import { benchFsck } from './fsck.js';
import { benchFaults } from './faults.js';
import { benchLedger } from './ledger.js';
import { benchIngest } from './ingest.js';
import { benchOpen } from './open.js';
import { benchPath } from './path.js';
import { benchReports } from './reports.js';
import { benchScale } from './scale.js';
import { benchTrace } from './trace/trace.js';

interface Asked {
  readonly contacts?: string | undefined;
  readonly threads?: string | undefined;
  readonly minutes?: string | undefined;
  readonly alone?: boolean | undefined;
}

const BENCHES: Readonly<Record<string, (asked: Asked) => Promise<void>>> = {
  path: ({ contacts }) => benchPath(contacts),
  open: benchOpen,
  reports: benchReports,
  enrolment: benchEnrolment,
  fsck: benchFsck,
  ledger: benchLedger,
  scale: benchScale,
  ingest: ({ threads }) => benchIngest(threads),
  crash: benchCrash,
  faults: benchFaults,
  clusters: ({ contacts }) => benchClusters(contacts),
  'cluster-city': ({ contacts }) => benchClusterCity(contacts),
  trace: ({ contacts, alone }) => benchTrace(contacts, alone),
  ble: ({ minutes }) => benchBle(minutes),
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    contacts: { type: 'string' },
    threads: { type: 'string' },
    minutes: { type: 'string' },
    alone: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
const bench = BENCHES[positionals[0] ?? ''];
if (bench === undefined || values.help === true) {
  console.error(`npm run bench -- NAME   where NAME is ${Object.keys(BENCHES).join(' or ')}`);
  console.error(
    '  path [--contacts FILE]   the whole path, stage by stage; the built-in scenario without a file',
  );
  console.error(
    '  open                     a tracer opening reports, on its own thread and on one or two more',
  );
  console.error(
    '  reports                  what is remembered of reports: five days of a city, two million a day',
  );
  console.error('  enrolment                credentials for a school: 327 tags, five days');
  console.error(
    '  fsck                     1,000 flipped bits in the files of each of two ledgers; a million entries checked in whole',
  );
  console.error('  ledger                   durable append against hypercore, batches of 1, 64 and 1,024');
  console.error(
    '  scale                    a log of ten million entries: memory, start, proofs; 10 GB of disk',
  );
  console.error(
    '  ingest [--threads N]     MQTT to receipt, gateways in another process; N threads check signatures',
  );
  console.error('  crash                    200 ledgers killed under load: what was lost, twice or unsound');
  console.error(
    '  faults                   each call to the disk failing once, before or after it took effect',
  );
  console.error(
    '  clusters [--contacts FILE]   how often the hidden source of an outbreak is found, next to counting contacts',
  );
  console.error(
    '  cluster-city [--contacts N]  how long clusters of 2 to 64 cases take over a synthetic city of N contacts, by default 10,000,000',
  );
  console.error(
    '  trace [--contacts N] [--alone]   traces over a synthetic city of N contacts, by default 10,000,000, against SQLite and PostgreSQL',
  );
  console.error(
    '  ble [--minutes N]        six tags and two gateways on Bluetooth, over BlueZ’s controller emulator; 10 minutes',
  );
  process.exitCode = 2;
} else await bench(values);
