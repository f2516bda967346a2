/** Whoever writes to the ledger: a spool in its folder, an uplink to the broker, a courier between them. */
import { openCourier } from '../../courier/courier.js';
import type { Courier } from '../../courier/courier.js';
import { openLevelSpool } from '../../courier/spool-level.js';
import { openMqttUplink } from '../../courier/uplink-mqtt.js';
import type { Uplink } from '../../courier/uplink.js';
import type { Signer } from '../../protocol/ed25519.js';
import { partyIdOf } from '../../protocol/keys.js';
import type { Log } from '../../protocol/log.js';
import { encodeWriterStatus } from '../../protocol/writer-status.js';
import { VERSION } from '../version.js';

export interface WriterGiven {
  readonly signer: Signer;
  readonly spoolDir: string;
  readonly mqttUrl: string;
  readonly ledgerReceiptKey: Uint8Array;
  readonly log: Log;
  /** Wall ms to wait for the broker at first. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
  /** For a bench that wants to hold deliveries back. */
  readonly throughUplink?: (uplink: Uplink) => Uplink;
}

export interface Writer {
  readonly courier: Courier;
  readonly uplink: Uplink;
  close(): Promise<void>;
}

/** Opens the spool first, so that a folder in use is said before anything is sent. Throws `locked`, `unreachable`. */
export async function startWriter(given: WriterGiven): Promise<Writer> {
  const { signer, ledgerReceiptKey, log, patienceMs, signal } = given;
  const spool = await openLevelSpool(given.spoolDir, partyIdOf(signer.publicKey));
  const closers = [() => spool.close()];
  const close = async (): Promise<void> => {
    for (const part of closers.reverse()) await part();
  };
  try {
    const bare = await openMqttUplink({
      url: given.mqttUrl,
      signer,
      log,
      lastWill: encodeWriterStatus({ online: false, version: VERSION, spoolDepth: 0, oldestUnsentMs: null }),
      ...(patienceMs !== undefined && { patienceMs }),
      ...(signal !== undefined && { signal }),
    });
    const uplink = given.throughUplink?.(bare) ?? bare;
    closers.push(() => uplink.close());
    const courier = await openCourier({ spool, uplink, signer, ledgerReceiptKey, log, version: VERSION });
    closers.push(() => courier.close());
    return { courier, uplink, close };
  } catch (error) {
    await close();
    throw error;
  }
}
