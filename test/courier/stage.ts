/** A real ledger behind a real broker, writers that reach it over MQTT, and what the ledger holds in the end. */
import { onTestFinished } from 'vitest';
import { openCourier } from '../../courier/courier.js';
import type { Courier, CourierDeps } from '../../courier/courier.js';
import type { Spool } from '../../courier/spool.js';
import { openMqttUplink } from '../../courier/uplink-mqtt.js';
import type { UplinkMqttDeps } from '../../courier/uplink-mqtt.js';
import type { Uplink } from '../../courier/uplink.js';
import { liveClock } from '../../host/clock-live.js';
import { openAedesBroker } from '../../ledger/broker/aedes.js';
import type { Broker } from '../../ledger/broker/aedes.js';
import { openLedger } from '../../ledger/ledger.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { decodeEntry } from '../../protocol/tlog/entry.js';
import type { LedgerEntry } from '../../protocol/tlog/entry.js';
import { silentLog } from '../../protocol/log.js';
import { entriesOf } from '../../protocol/tlog/tile.js';
import { issuer, ledgerDeps, receiptSigner } from '../ledger/deployment.js';
import { temporaryFolder } from './folder.js';

export interface LedgerStage {
  readonly url: string;
  readonly ledger: Ledger;
  /** Broker and ledger go; writers find nobody. */
  down(): Promise<void>;
  /** Both are opened again, on the same folder and port. */
  up(): Promise<void>;
  /** Everything in the log. */
  entries(): Promise<LedgerEntry[]>;
}

export async function ledgerStage(): Promise<LedgerStage> {
  const dir = await temporaryFolder();
  let ledger: Ledger;
  let broker: Broker;
  let port = 0;
  let isUp = false;
  const up = async (): Promise<void> => {
    ledger = await openLedger(ledgerDeps(dir));
    broker = await openAedesBroker({ ledger, issuerPublicKey: issuer.publicKey, port, log: silentLog });
    port = Number(new URL(broker.url).port);
    isUp = true;
  };
  const down = async (): Promise<void> => {
    if (!isUp) return;
    isUp = false;
    await broker.close();
    await ledger.close();
  };
  await up();
  onTestFinished(down);
  return {
    get url() {
      return `mqtt://127.0.0.1:${port}`;
    },
    get ledger() {
      return ledger;
    },
    down,
    up,
    entries: async () => {
      const { size } = ledger.status();
      const entries: LedgerEntry[] = [];
      for (let bundle = 0; bundle * 256 < size; bundle += 1) {
        const width = Math.min(256, size - bundle * 256);
        const bytes = await ledger.reader().entryBundle(bundle, width);
        entries.push(...entriesOf(bytes, width).map((entry) => decodeEntry(entry)));
      }
      return entries;
    },
  };
}

export async function uplinkTo(
  url: string,
  signer: Signer,
  changes: Partial<UplinkMqttDeps> = {},
): Promise<Uplink> {
  const deps = { url, signer, log: silentLog, lastWill: '{"online":false}', patienceMs: 10_000 };
  const uplink = await openMqttUplink({ ...deps, ...changes });
  onTestFinished(() => uplink.close());
  return uplink;
}

export async function courierOver(
  uplink: Uplink,
  spool: Spool,
  signer: Signer,
  changes: Partial<CourierDeps> = {},
): Promise<Courier> {
  const ledgerReceiptKey = receiptSigner.publicKey;
  const given = { uplink, spool, signer, ledgerReceiptKey, clock: liveClock() };
  const deps = { ...given, log: silentLog, version: 'test' };
  const courier = await openCourier({ ...deps, receiptWaitMs: 500, retryPauseMs: 100, ...changes });
  onTestFinished(() => courier.close());
  return courier;
}
