/** Whoever writes to the ledger: a spool in its folder, an uplink to the broker, a courier between them. */
import { openCourier } from '../../courier/courier.js';
import type { Courier } from '../../courier/courier.js';
import { pastRetention } from '../../courier/past-retention.js';
import { openLevelSpool } from '../../courier/spool-level.js';
import { openMqttUplink } from '../../courier/uplink-mqtt.js';
import type { Uplink } from '../../courier/uplink.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { partyIdOf } from '../../protocol/keys.js';
import { encodeWriterStatus } from '../../protocol/mqtt/writer-status.js';
import { readBrokerLogin } from '../files/broker-login.js';
import { orWhoHolds } from '../folder/in-use.js';
import { VERSION } from '../version.js';
import { openTogether } from './context.js';
import type { PartContext } from './context.js';

export interface WriterGiven {
  readonly signer: Signer;
  readonly spoolDir: string;
  readonly mqttUrl: string;
  /** Wall ms to wait for the broker at first. */
  readonly patienceMs?: number;
  /** Does not wait for the broker at all. */
  readonly startsOffline?: boolean;
  /** Asked before a report is given up that waited past its window; only gateways write such. */
  readonly mayClockBeRight?: () => boolean;
  /** For a bench that wants to hold deliveries back. */
  readonly throughUplink?: (uplink: Uplink) => Uplink;
}

export interface Writer {
  readonly courier: Courier;
  readonly uplink: Uplink;
  readonly close: () => Promise<void>;
}

/** Opens the spool first, so that a folder in use is said before anything is sent. Throws `locked`, `unreachable`. */
export function startWriter(
  { folder, config, clock, log, signal }: PartContext,
  given: WriterGiven,
): Promise<Writer> {
  const { signer, spoolDir, mqttUrl, patienceMs, startsOffline = false } = given;
  const { throughUplink = (uplink: Uplink) => uplink } = given;
  return openTogether(log, async (onClose) => {
    const spool = await orWhoHolds(openLevelSpool(spoolDir, partyIdOf(signer.publicKey)), spoolDir, folder);
    onClose(() => spool.close());
    const lastWill = encodeWriterStatus({
      online: false,
      version: VERSION,
      spoolDepth: 0,
      oldestUnsentMs: null,
    });
    const patience = patienceMs !== undefined && { patienceMs };
    const login = await readBrokerLogin(folder);
    const uplink = throughUplink(
      await openMqttUplink({
        url: mqttUrl,
        signer,
        log,
        lastWill,
        signal,
        startsOffline,
        ...patience,
        ...(login && { login }),
      }),
    );
    onClose(() => uplink.close());
    const ledgerReceiptKey = config.receiptPublicKey;
    const { retentionDays } = config.settings;
    const isPastRetention = pastRetention({ clock, retentionDays, mayClockBeRight: given.mayClockBeRight });
    const deps = { spool, uplink, signer, ledgerReceiptKey, clock, isPastRetention, log, version: VERSION };
    const courier = await openCourier(deps);
    onClose(() => courier.close());
    return { courier, uplink };
  });
}
