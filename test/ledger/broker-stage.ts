/** A ledger behind the embedded broker, and writers connected to it; all of it ends with the test. */
import { onTestFinished } from 'vitest';
import { openAedesBroker, type Broker, type BrokerOptions } from '../../ledger/broker/aedes.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import type { LedgerDeps } from '../../ledger/ledger.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { silentLog } from '../../protocol/log.js';
import { issuer, ledgerDeps, temporaryFolder } from './deployment.js';
import { connectWriter } from './mqtt-writer.js';

export interface BrokerStage {
  readonly ledger: Ledger;
  readonly broker: Broker;
}

/** `changes`: of the broker, given the ledger; `deps`: of the ledger. */
export async function brokerStage(
  changes: (ledger: Ledger) => Partial<BrokerOptions> = () => ({}),
  deps: Partial<LedgerDeps> = {},
): Promise<BrokerStage> {
  const ledger = await openLedger(ledgerDeps(await temporaryFolder(), deps));
  const given = { ledger, issuerPublicKey: issuer.publicKey, port: 0, log: silentLog };
  const broker = await openAedesBroker({ ...given, ...changes(ledger) });
  onTestFinished(async () => {
    await broker.close();
    await ledger.close();
  });
  return { ledger, broker };
}

export async function writerAt(broker: Broker, signer: Signer) {
  const connected = await connectWriter(broker.url, signer);
  onTestFinished(() => connected.client.endAsync(true));
  return connected;
}
