/** The ledger of a folder, put together: store, broker or a connection to one, and HTTP. */
import { openAedesBroker } from '../../ledger/broker-aedes.js';
import { openExternalBroker } from '../../ledger/broker-external.js';
import { serveLedgerHttp } from '../../ledger/http.js';
import { openLedger } from '../../ledger/ledger.js';
import type { Ledger } from '../../ledger/ledger.js';
import { openLedgerReaderHttp } from '../../ledger/reader-http.js';
import { openLedgerFolder } from '../../ledger/reader-level.js';
import type { Clock } from '../../protocol/clock.js';
import { toHex } from '../../protocol/bytes.js';
import { fastSigner } from '../../protocol/ed25519.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { LedgerReader } from '../../protocol/ledger-reader.js';
import type { Log } from '../../protocol/log.js';
import { noteSigner, noteVerifierKey, parseVerifierKey } from '../../protocol/note.js';
import type { NoteVerifier } from '../../protocol/note.js';
import type { Config } from '../config.js';
import { signerFrom } from '../deployment.js';
import type { DataFolder } from '../folder.js';
import { readKeyFile } from '../key-files.js';
import { findRunning } from '../run-files.js';

export interface LedgerContext {
  readonly folder: DataFolder;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RunningLedger {
  readonly ledger: Ledger;
  /** Where writers find the broker. */
  readonly mqttUrl: string;
  close(): Promise<void>;
}

/** Opens the store of the folder. Throws `foreign` when the log key is not the one the configuration names. */
export async function openFolderLedger({ folder, config, clock }: LedgerContext): Promise<Ledger> {
  const logSigner = noteSigner(config.origin, fastSigner(await readKeyFile(folder.ledger.logKey)));
  if (noteVerifierKey(logSigner.name, logSigner.publicKey) !== config.logKey) {
    throw new FirebreakError(
      'foreign',
      `${folder.ledger.logKey} is not the key of the log that ${folder.config} names`,
    );
  }
  return openLedger({
    dir: folder.ledger.store,
    logSigner,
    receiptSigner: await signerFrom(folder.ledger.receiptKey),
    issuerPublicKey: config.issuerPublicKey,
    writers: config.writers.map(({ publicKey, entryTypes }) => ({ publicKey, types: entryTypes })),
    retentionDays: config.settings.retentionDays,
    clock,
  });
}

/** A ledger with its own broker, or with the broker at `brokerUrl`. */
export async function startLedger(
  context: LedgerContext,
  given: { readonly mqttPort: number; readonly brokerUrl?: string },
): Promise<RunningLedger> {
  const ledger = await openFolderLedger(context);
  try {
    const broker = await openBroker(context, ledger, given);
    return {
      ledger,
      mqttUrl: broker.url,
      async close() {
        await broker.close();
        await ledger.close();
      },
    };
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

async function openBroker(
  { config, log }: LedgerContext,
  ledger: Ledger,
  { mqttPort, brokerUrl }: { readonly mqttPort: number; readonly brokerUrl?: string },
): Promise<{ readonly url: string; close(): Promise<void> }> {
  if (brokerUrl === undefined) {
    return openAedesBroker({ ledger, issuerPublicKey: config.issuerPublicKey, port: mqttPort, log });
  }
  const broker = await openExternalBroker({ ledger, url: brokerUrl, log });
  return { url: brokerUrl, close: () => broker.close() };
}

/** The ledger's HTTP for readers. */
export async function startLedgerHttp({ folder, log }: LedgerContext, ledger: Ledger, port: number) {
  const payloadToken = toHex(await readKeyFile(folder.ledger.readToken));
  return serveLedgerHttp({ reader: ledger.reader(), port, payloadToken, log });
}

/** Reads the folder's ledger: over HTTP while it runs, from its store while it does not. */
export async function openFolderReader(folder: DataFolder, config: Config): Promise<LedgerReader> {
  const running = await findRunning(folder, 'ledger');
  if (running) {
    return openLedgerReaderHttp({
      url: running.http,
      token: toHex(await readKeyFile(folder.ledger.readToken)),
    });
  }
  return openLedgerFolder(folder.ledger.store, {
    origin: config.origin,
    logPublicKey: logVerifier(config).publicKey,
  });
}

export const logVerifier = (config: Config): NoteVerifier => parseVerifierKey(config.logKey);
