/** The authority of a folder, put together. */
import { openAuthority } from '../../authority/authority.js';
import type { Authority, AuthorityDeps } from '../../authority/authority.js';
import { openLevelRecords } from '../../authority/records/records-level.js';
import { issuerIdOf } from '../../protocol/keys.js';
import { sunsetDayOf } from '../folder/config.js';
import { dayKeyFiles } from '../days/day-key-files.js';
import { signerFrom } from '../folder/deployment.js';
import type { DataFolder } from '../folder/folder.js';
import { readKeyFile } from '../files/key-files.js';
import { orWhoHolds } from '../folder/in-use.js';
import { openTogether } from './context.js';
import type { PartContext } from './context.js';
import { workedDayFile } from '../days/worked-day-file.js';
import { startWriter } from './writer.js';
import type { Writer } from './writer.js';

export interface RunningAuthority {
  readonly authority: Authority;
  readonly writer: Writer;
  readonly close: () => Promise<void>;
}

/** Throws `not-found`, `permission` or `damaged`, naming the key file: before others are waited for. */
export async function requireAuthorityKeys({ authority }: DataFolder): Promise<void> {
  for (const file of [authority.issuerKey, authority.auditKey]) await readKeyFile(file);
}

/**
 * `known` is what is read of the log meanwhile. Throws `locked` when another authority runs on the folder, `unreachable`
 * when there is no broker.
 */
export function startAuthority(
  context: PartContext,
  mqttUrl: string,
  known: Pick<AuthorityDeps, 'logDays' | 'ownWords'> = {},
): Promise<RunningAuthority> {
  const { folder, config, clock, log } = context;
  return openTogether(log, async (onClose) => {
    const issuer = await signerFrom(folder.authority.issuerKey);
    const { registry } = folder.authority;
    const opening = openLevelRecords(registry, issuerIdOf(issuer.publicKey));
    const records = await orWhoHolds(opening, registry, folder);
    onClose(() => records.close());
    const writer = await startWriter(context, { signer: issuer, spoolDir: folder.authority.spool, mqttUrl });
    onClose(writer.close);
    const { courier, uplink } = writer;
    const dayKeys = dayKeyFiles(folder.authority.dayKeys, folder.dir);
    const sunsetDay = sunsetDayOf(config);
    const { retentionDays } = config.settings;
    const authority = await openAuthority({
      issuer,
      dayKeys,
      records,
      workedDay: workedDayFile(folder.authority.workedDay),
      ...known,
      courier,
      uplink,
      clock,
      retentionDays,
      ...(sunsetDay !== undefined && { sunsetDay }),
      log,
    });
    onClose(() => authority.close());
    return { authority, writer };
  });
}
