/** The authority of a folder, put together. */
import { openAuthority } from '../../authority/authority.js';
import type { Authority } from '../../authority/authority.js';
import { openLevelRecords } from '../../authority/records-level.js';
import type { Clock } from '../../protocol/clock.js';
import { issuerIdOf } from '../../protocol/keys.js';
import type { Log } from '../../protocol/log.js';
import type { Config } from '../config.js';
import { dayKeyFiles } from '../day-key-files.js';
import { signerFrom } from '../deployment.js';
import type { DataFolder } from '../folder.js';
import { startWriter } from './writer.js';
import type { Writer } from './writer.js';

export interface RunningAuthority {
  readonly authority: Authority;
  readonly writer: Writer;
  close(): Promise<void>;
}

/** Throws `locked` when another authority runs on the folder, `unreachable` when there is no broker. */
export async function startAuthority(given: {
  readonly folder: DataFolder;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly mqttUrl: string;
  readonly signal?: AbortSignal;
}): Promise<RunningAuthority> {
  const { folder, config, clock, log, mqttUrl, signal } = given;
  const issuer = await signerFrom(folder.authority.issuerKey);
  const records = await openLevelRecords(folder.authority.registry, issuerIdOf(issuer.publicKey));
  const closers = [() => records.close()];
  const close = async (): Promise<void> => {
    for (const part of closers.reverse()) await part();
  };
  try {
    const spoolDir = folder.authority.spool;
    const ledgerReceiptKey = config.receiptPublicKey;
    const writer = await startWriter({
      signer: issuer,
      spoolDir,
      mqttUrl,
      ledgerReceiptKey,
      log,
      ...(signal && { signal }),
    });
    closers.push(() => writer.close());
    const { courier, uplink } = writer;
    const dayKeys = dayKeyFiles(folder.authority.dayKeys);
    const { retentionDays } = config.settings;
    const authority = await openAuthority({
      issuer,
      dayKeys,
      records,
      courier,
      uplink,
      clock,
      retentionDays,
      log,
    });
    closers.push(() => authority.close());
    return { authority, writer, close };
  } catch (error) {
    await close();
    throw error;
  }
}
