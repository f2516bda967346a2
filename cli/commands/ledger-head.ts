/** `firebreak ledger head`: makes the head file of a stopped ledger again, on a person's word that it is lost. */
import type { Command } from 'commander';
import { openStoreLevel } from '../../ledger/store/store-open.js';
import { toHex } from '../../protocol/bytes.js';
import { usage } from '../terminal/exit.js';
import { callOf } from '../terminal/how-called.js';
import { requireAskedHere } from '../folder/ledger-place.js';
import { inFolder, withFolderOptions } from '../folder/session.js';
import type { FolderOptions, Session } from '../folder/session.js';
import { logVerifier } from '../parts/ledger.js';
import { counted } from '../present/counts.js';

interface HeadOptions extends FolderOptions {
  readonly yes?: boolean;
}

const MORE_HELP = `
The head file tells how far the ledger has answered; without it a loss of the newest entries is not noticed. Read
"A lost head file" in docs/ledger-fsck.md before: entries that are lost are given again, to others, and that is a fork.`;

export function addLedgerHeadCommand(ledger: Command): void {
  withFolderOptions(
    ledger
      .command('head')
      .description('make the lost head file of a stopped ledger again, from what is stored'),
  )
    .option('--yes', 'it is lost, and what is stored is taken for all that the ledger answered')
    .addHelpText('after', MORE_HELP)
    .action((options: HeadOptions) => inFolder('ledger', options, (session) => makeHead(session, options)));
}

/** Throws `damaged` for any other damage, `input` for a head file that is there. */
async function makeHead({ folder, config, log }: Session, { yes }: HeadOptions): Promise<void> {
  await requireAskedHere(folder);
  if (yes !== true) throw usage('read docs/ledger-fsck.md, "A lost head file", then say --yes');
  const identity = { origin: config.origin, logPublicKey: logVerifier(config).publicKey };
  const store = await openStoreLevel({ dir: folder.ledger.store, identity, headIsLost: true, log });
  const { size, root } = store.state();
  await store.close();
  console.log(`the head file says ${counted(size, 'entry', 'entries')} now, with root ${toHex(root)}`);
  console.log(
    `before you start the ledger, compare: ${callOf('ledger consistency --data-dir DIR --old SAVED')}`,
  );
}
