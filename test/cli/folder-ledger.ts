/** The ledger of a folder, as `firebreak ledger run` has it. */
import { announce } from '../../cli/files/run-files.js';
import { openFolderClock } from '../../cli/days/folder-clock.js';
import { readConfig } from '../../cli/folder/config.js';
import type { DataFolder } from '../../cli/folder/folder.js';
import { openTogether } from '../../cli/parts/context.js';
import { startLedger, startLedgerHttp } from '../../cli/parts/ledger.js';
import { silentLog } from '../../protocol/log.js';

/** Resolves what ends it. */
export async function runFolderLedger(folder: DataFolder): Promise<() => Promise<void>> {
  const context = {
    folder,
    config: await readConfig(folder),
    clock: await openFolderClock(folder),
    log: silentLog,
    signal: new AbortController().signal,
  };
  const running = await openTogether(silentLog, async (onClose) => {
    const ledger = await startLedger(context, { mqttPort: 0 });
    onClose(ledger.close);
    const http = await startLedgerHttp(context, ledger.ledger, 0);
    onClose(() => http.close());
    onClose(await announce(folder, 'ledger', { mqtt: ledger.mqttUrl, http: http.url }));
    return {};
  });
  return () => running.close();
}
