/** The ledger of a folder, put together: store, broker or a connection to one, and HTTP. */
import { openAedesBroker, type Broker } from '../../ledger/broker/aedes.js';
import { openExternalBroker, type ExternalBroker } from '../../ledger/broker/external.js';
import { serveLedgerHttp } from '../../ledger/http/server.js';
import { openLedger } from '../../ledger/ledger.js';
import type { Ledger } from '../../ledger/ledger.js';
import { openLedgerReaderHttp } from '../../ledger/readers/reader-http.js';
import { openLedgerFolder } from '../../ledger/readers/reader-level.js';
import { toHex } from '../../protocol/bytes.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { FirebreakError } from '../../protocol/errors.js';
import { partyIdOf } from '../../protocol/keys.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { noteSigner, noteVerifierKey, parseVerifierKey } from '../../protocol/tlog/note.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { writeAtomically } from '../files/atomic-file.js';
import type { Config } from '../folder/config.js';
import { signerFrom } from '../folder/deployment.js';
import type { DataFolder } from '../folder/folder.js';
import { readBrokerLogin } from '../files/broker-login.js';
import { readKeyFile } from '../files/key-files.js';
import { findLedger, requireLedgerHere } from '../folder/ledger-place.js';
import { asksForWitnesses, keptPolicy, readPolicyFile } from '../files/policy-files.js';
import type { PolicyFile } from '../files/policy-files.js';
import type { Hearing } from '../present/ledger-screen.js';
import { readSaidClock } from '../days/said-clock-file.js';
import { openTogether } from './context.js';
import type { PartContext } from './context.js';

export interface RunningLedger {
  readonly ledger: Ledger;
  /** Where writers find the broker. */
  readonly mqttUrl: string;
  readonly hearing: () => Hearing;
  readonly close: () => Promise<void>;
}

/**
 * Opens the store of the folder with this policy, which the folder keeps from then on, by default with the one that it keeps.
 *
 * Throws `foreign` when the log key is not the one the configuration names.
 */
async function openFolderLedger(
  { folder, config, clock, log }: PartContext,
  named: PolicyFile | undefined,
  checkThreads: number,
): Promise<Ledger> {
  await requireLedgerHere(folder);
  const logSigner = noteSigner(config.origin, fastSigner(await readKeyFile(folder.ledger.logKey)));
  if (noteVerifierKey(logSigner.name, logSigner.publicKey) !== config.logKey) {
    throw new FirebreakError(
      'foreign',
      `${folder.ledger.logKey} is not the key of the log that ${folder.config} names`,
    );
  }
  const policy = named?.policy ?? (await keptPolicy(folder.ledger.policy));
  return openLedger({
    dir: folder.ledger.store,
    logSigner,
    receiptSigner: await signerFrom(folder.ledger.receiptKey),
    issuerPublicKey: config.issuerPublicKey,
    writers: config.writers.map(({ publicKey, entryTypes }) => ({ publicKey, types: entryTypes })),
    retentionDays: config.settings.retentionDays,
    clock,
    saidRightMs: () => readSaidClock(folder.ledger.saidClock),
    log,
    checkThreads,
    ...(policy && { policy }),
    wasWitnessed: await asksForWitnesses(folder.ledger.policy),
    ...(named && { keepPolicy: () => writeAtomically(folder.ledger.policy, named.bytes) }),
  });
}

export interface LedgerGiven {
  readonly mqttPort: number;
  readonly brokerUrl?: string;
  /** A C2SP tlog-policy to keep; by default the one that was given last. */
  readonly policyFile?: string;
  /** None when absent: a ledger for one command or a demo is done before threads pay for their start. */
  readonly checkThreads?: number;
}

/** A ledger with its own broker, or with the broker at `brokerUrl`. The folder keeps the policy in `policyFile` from then on. */
export function startLedger(context: PartContext, given: LedgerGiven): Promise<RunningLedger> {
  return openTogether(context.log, async (onClose) => {
    const { policyFile, checkThreads = 0 } = given;
    const named = policyFile === undefined ? undefined : await readPolicyFile(policyFile);
    const ledger = await openFolderLedger(context, named, checkThreads);
    onClose(() => ledger.close());
    const broker = await openBroker(context, ledger, given);
    onClose(() => broker.close());
    return { ledger, mqttUrl: broker.url, hearing: hearingAt(broker, context.config) };
  });
}

function hearingAt(broker: Broker | ExternalBroker, { writers }: Config): () => Hearing {
  if ('connectedWriters' in broker) {
    const configured = new Set(writers.map(({ publicKey }) => toHex(partyIdOf(publicKey))));
    return () => ({
      connectedGateways: broker.connectedWriters().filter((id) => !configured.has(id)).length,
    });
  }
  return () => ({
    broker: {
      url: broker.url,
      isConnected: broker.isConnected(),
      sinceMs: broker.sinceMs(),
      failure: broker.failure(),
      receiptFailure: broker.receiptFailure(),
    },
  });
}

/** The same at each start of one log's ledger; letters and digits, 23 at most, as every broker takes (MQTT 3.1.1 §3.1.3.1). */
const brokerClientId = (config: Config): string =>
  `ledger${toHex(partyIdOf(logVerifier(config).publicKey)).slice(0, 16)}`;

async function openBroker(
  { folder, config, log }: PartContext,
  ledger: Ledger,
  { mqttPort, brokerUrl }: LedgerGiven,
): Promise<Broker | ExternalBroker> {
  if (brokerUrl === undefined) {
    return openAedesBroker({ ledger, issuerPublicKey: config.issuerPublicKey, port: mqttPort, log });
  }
  const login = await readBrokerLogin(folder);
  const given = { ledger, url: brokerUrl, clientId: brokerClientId(config), log };
  return openExternalBroker({ ...given, ...(login && { login }) });
}

/** The ledger's HTTP for readers. */
export async function startLedgerHttp({ folder, log }: PartContext, ledger: Ledger, port: number) {
  const payloadToken = toHex(await readKeyFile(folder.ledger.readToken));
  return serveLedgerHttp({ reader: ledger.reader(), port, payloadToken, days: () => ledger.days(), log });
}

/**
 * Reads the folder's ledger: over HTTP while it runs or is elsewhere, from its store while it does not. `isForOthers`: what is read is shown to
 * them, so where witnesses cosign and what was published is lost, it throws `witness`. `isWhole`: a store is read to its last commit,
 * also what witnesses have not cosigned yet.
 */
export async function openFolderReader(
  folder: DataFolder,
  config: Config,
  {
    isForOthers = false,
    isWhole = false,
  }: { readonly isForOthers?: boolean; readonly isWhole?: boolean } = {},
): Promise<LedgerReader> {
  const ledger = await findLedger(folder);
  if (ledger) {
    return openLedgerReaderHttp({
      url: ledger.http,
      token: toHex(await readKeyFile(folder.ledger.readToken)),
    });
  }
  const identity = { origin: config.origin, logPublicKey: logVerifier(config).publicKey };
  const wasWitnessed = isForOthers && (await asksForWitnesses(folder.ledger.policy));
  return openLedgerFolder(folder.ledger.store, identity, { wasWitnessed, isWhole });
}

export const logVerifier = (config: Config): NoteVerifier => parseVerifierKey(config.logKey);
