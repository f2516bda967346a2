/** A process to be killed: a witness of many logs on the folder in argv[2], telling where it listens on stdout. */
import { formatCosignerKey } from '../../protocol/tlog/cosignature.js';
import { silentLog } from '../../protocol/log.js';
import { serveWitnessHttp } from '../../witness/http.js';
import { beginState, openStateFolder } from '../../witness/state-folder.js';
import { openWitness } from '../../witness/witness.js';
import { manyLogs } from './log-views.js';
import { cosignerNamed } from './running-witness.js';

const [, , dir = ''] = process.argv;
const cosigner = cosignerNamed('crash');
for (const { name } of manyLogs) await beginState(dir, name);
const state = await openStateFolder(dir);
const nowSeconds = (): number => Date.now() / 1000;
const witness = await openWitness({ cosigner, logs: manyLogs, state, nowSeconds, log: silentLog });
const { url } = await serveWitnessHttp({
  witness,
  verifierKey: formatCosignerKey(cosigner),
  port: 0,
  log: silentLog,
});
process.stdout.write(`${url}\n`);
