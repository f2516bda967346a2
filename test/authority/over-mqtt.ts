/** An authority that reaches a ledger over a real broker, and somebody who listens there. */
import mqtt from 'mqtt';
import { openAuthority, type Authority } from '../../authority/authority.js';
import { openCourier, type Courier } from '../../courier/courier.js';
import { memorySpool } from '../../courier/spool-memory.js';
import { openMqttUplink } from '../../courier/uplink-mqtt.js';
import { asUnixMs } from '../../protocol/brands.js';
import { makeConnectToken } from '../../protocol/mqtt/connect-token.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { silentLog } from '../../protocol/log.js';
import type { LedgerDeps } from '../../ledger/ledger.js';
import { issuer, ledgerDeps, NOW_MS, officer, receiptSigner } from '../ledger/deployment.js';
import { newWorld } from './fixture.js';

/** The ledger of the deployment's tests, where the issuer may write all that an authority writes. */
export function authorityLedgerDeps(dir: string): LedgerDeps {
  const { gateway, dayKey, notices, credentials } = ENTRY_TYPE;
  return ledgerDeps(dir, {
    writers: [{ publicKey: issuer.publicKey, types: [gateway, dayKey, notices, credentials] }],
  });
}

export interface ConnectedAuthority {
  readonly authority: Authority;
  readonly courier: Courier;
  close(): Promise<void>;
}

export async function connectAuthority(url: string): Promise<ConnectedAuthority> {
  const uplink = await openMqttUplink({
    url,
    signer: issuer,
    log: silentLog,
    lastWill: '{}',
    patienceMs: 10_000,
  });
  const ledgerReceiptKey = receiptSigner.publicKey;
  const spool = memorySpool();
  const clock = { nowMs: () => asUnixMs(NOW_MS), sleep: async () => {} };
  const courier = await openCourier({
    spool,
    uplink,
    signer: issuer,
    ledgerReceiptKey,
    clock,
    log: silentLog,
    version: 'test',
  });
  const authority = await openAuthority({ ...newWorld().deps, issuer, clock, courier, uplink });
  const close = async () => {
    await authority.close();
    await courier.close();
    await uplink.close();
  };
  return { authority, courier, close };
}

/** What a new subscriber is given of a retained topic. Rejects after five seconds without a message. */
export async function retainedOf(
  url: string,
  topic: string,
  subscriber: Signer = officer,
): Promise<Uint8Array> {
  const token = makeConnectToken(subscriber, Date.now(), new Uint8Array(16));
  const client = await mqtt.connectAsync(url, { ...token, reconnectPeriod: 0, connectTimeout: 5000 });
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nothing is retained on ${topic}`)), 5000);
      client.once('message', (_topic, payload) => {
        clearTimeout(timer);
        resolve(new Uint8Array(payload));
      });
      client.subscribe(topic, { qos: 1 }, (error) => error && reject(error));
    });
  } finally {
    await client.endAsync(true);
  }
}
