/** `firebreak gateway refused`: what the ledger refused for good and the gateway keeps aside; `--clear` drops it. */
import type { Command } from 'commander';
import { isThere } from '../files/is-there.js';
import { openLevelSpool } from '../../courier/spool-level.js';
import type { Spool } from '../../courier/spool.js';
import { FirebreakError } from '../../protocol/errors.js';
import { partyIdOf } from '../../protocol/keys.js';
import { readConfig } from '../folder/config.js';
import { signerFrom } from '../folder/deployment.js';
import { folderAt, gatewayFolder } from '../folder/folder.js';
import type { GatewayFolder } from '../folder/folder.js';
import { counted } from '../present/counts.js';
import { refusedHeading, refusedLine } from '../present/show-refused.js';
import { shortName } from '../terminal/options.js';

interface RefusedOptions {
  readonly dataDir: string;
  readonly name: string;
  readonly clear?: true;
}

export function addGatewayRefusedCommand(gateway: Command): void {
  gateway
    .command('refused')
    .description('what the ledger refused for good: it is kept aside on disk; of a gateway that is stopped')
    .requiredOption('--data-dir <dir>', 'the data folder of the deployment')
    .option('--name <name>', 'its name', shortName, 'hub-1')
    .option('--clear', 'list it, then drop what was listed')
    .action((options: RefusedOptions) => refused(options));
}

async function refused({ dataDir, name, clear }: RefusedOptions): Promise<void> {
  const folder = folderAt(dataDir);
  await readConfig(folder);
  const spool = await openSpoolOf(gatewayFolder(folder, name), name);
  try {
    const { refused: kept } = spool.depth();
    console.log(refusedHeading(kept));
    for await (const entry of spool.refused()) console.log(refusedLine(entry));
    if (clear !== true || kept === 0) return;
    await spool.dropRefused();
    console.log(
      `dropped ${counted(kept, 'entry', 'entries')}; firebreak gateway status no longer counts them once the gateway runs`,
    );
  } finally {
    await spool.close();
  }
}

/** Makes no spool where there is none. Throws `not-found`, `locked` while the gateway runs. */
async function openSpoolOf({ spool, key }: GatewayFolder, name: string): Promise<Spool> {
  if (!(await isThere(spool)))
    throw new FirebreakError('not-found', `gateway ${name} keeps nothing here yet (${spool} is missing)`);
  const { publicKey } = await signerFrom(key);
  return openLevelSpool(spool, partyIdOf(publicKey)).catch((cause: unknown) => {
    if (!(cause instanceof FirebreakError && cause.code === 'locked')) throw cause;
    const message = `gateway ${name} runs, and holds what it keeps aside: stop it first, and start it again after (${cause.message})`;
    throw new FirebreakError('locked', message, { cause });
  });
}
