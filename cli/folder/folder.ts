/**
 * The data folder of a deployment: who lives where. Each party keeps to its own sub-folder. Authority and tracer share a folder;
 * ledger, gateways and tags may each be on another machine, with `firebreak.json` (public) and their own part (docs/apart.md).
 */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FirebreakError } from '../../protocol/errors.js';

export interface DataFolder {
  readonly dir: string;
  /** Public facts of the deployment (config.ts). */
  readonly config: string;
  readonly clock: string;
  /** Where running processes say how to reach them. */
  readonly run: string;
  /** For a broker of somebody else (files/broker-login.ts); mostly absent. */
  readonly brokerLogin: string;
  /** Of a ledger on another machine (ledger-place.ts); mostly absent. */
  readonly ledgerPlace: string;
  readonly authority: {
    readonly dir: string;
    readonly issuerKey: string;
    readonly auditKey: string;
    readonly dayKeys: string;
    readonly registry: string;
    /** The newest day it worked on (days/worked-day-file.ts). */
    readonly workedDay: string;
    readonly spool: string;
    /** Orders from other processes of the folder (orders.ts). */
    readonly orders: string;
    /** In run/: the authority's own folder is copied while it works (docs/backup.md). */
    readonly status: string;
  };
  readonly ledger: {
    readonly dir: string;
    readonly logKey: string;
    readonly receiptKey: string;
    readonly readToken: string;
    /** Where the ledger listened last: it comes back there. */
    readonly ports: string;
    /** Who must cosign before readers see a checkpoint (C2SP tlog-policy); absent for nobody. */
    readonly policy: string;
    /** A person's word that the clock is right (days/said-clock-file.ts); mostly absent. */
    readonly saidClock: string;
    readonly status: string;
    readonly store: string;
  };
  readonly tracer: {
    readonly dir: string;
    readonly writerKey: string;
    /** What the commands of this folder ask a running tracer with. */
    readonly apiToken: string;
    /** Hashes of the tokens of those who may ask over HTTP (tracer/api/tokens.ts); absent for nobody. */
    readonly tokens: string;
    readonly checkpoint: string;
    /** What was read from the ledger: no keys, and no contact that is past retention. Without it the ledger is read again. */
    readonly contacts: string;
    readonly spool: string;
  };
}

export interface GatewayFolder {
  readonly dir: string;
  readonly key: string;
  /** What the authority needs of it. */
  readonly publicKey: string;
  readonly certificate: string;
  readonly statements: string;
  readonly notice: string;
  /** Where the broker of the folder's ledger was last. */
  readonly broker: string;
  /** The number of its next presence report. */
  readonly presence: string;
  /** Whom it heard and has not reported, sealed. */
  readonly presenceKept: string;
  readonly status: string;
  readonly spool: string;
}

export interface TagFolder {
  readonly dir: string;
  /** Held by the one process that runs the tag. */
  readonly lock: string;
  readonly state: string;
  readonly flash: string;
  readonly status: string;
}

export function folderAt(path: string): DataFolder {
  const dir = resolve(path);
  const inside = (...parts: string[]) => join(dir, ...parts);
  return {
    dir,
    config: inside('firebreak.json'),
    clock: inside('clock.json'),
    run: inside('run'),
    brokerLogin: inside('broker.login'),
    ledgerPlace: inside('ledger.place'),
    authority: {
      dir: inside('authority'),
      issuerKey: inside('authority', 'issuer.key'),
      auditKey: inside('authority', 'audit.key'),
      dayKeys: inside('authority', 'day-keys'),
      registry: inside('authority', 'registry'),
      workedDay: inside('authority', 'worked-day'),
      spool: inside('authority', 'spool'),
      orders: inside('authority', 'orders'),
      status: inside('run', 'authority-status.json'),
    },
    ledger: ledgerFolder(inside('ledger')),
    tracer: {
      dir: inside('tracer'),
      writerKey: inside('tracer', 'writer.key'),
      apiToken: inside('tracer', 'api.token'),
      tokens: inside('tracer', 'tokens'),
      checkpoint: inside('tracer', 'checkpoint'),
      contacts: inside('tracer', 'contacts'),
      spool: inside('tracer', 'spool'),
    },
  };
}

function ledgerFolder(dir: string): DataFolder['ledger'] {
  const inside = (part: string) => join(dir, part);
  return {
    dir,
    logKey: inside('log.key'),
    receiptKey: inside('receipt.key'),
    readToken: inside('read.token'),
    ports: inside('ports.json'),
    policy: inside('policy'),
    saidClock: inside('clock-said-right'),
    status: inside('status.json'),
    store: inside('store'),
  };
}

export function gatewayFolder(folder: DataFolder, name: string): GatewayFolder {
  const dir = join(folder.dir, 'gateways', name);
  const inside = (part: string) => join(dir, part);
  return {
    dir,
    key: inside('gateway.key'),
    publicKey: inside('gateway.pub'),
    certificate: inside('certificate'),
    statements: inside('statements'),
    notice: inside('notice'),
    broker: inside('broker'),
    presence: inside('presence.json'),
    presenceKept: inside('presence-kept'),
    status: inside('status.json'),
    spool: inside('spool'),
  };
}

export function tagFolder(folder: DataFolder, number: number): TagFolder {
  const dir = join(folder.dir, 'tags', String(number));
  const inside = (part: string) => join(dir, part);
  return {
    dir,
    lock: inside('lock'),
    state: inside('state'),
    flash: inside('flash'),
    status: inside('status.json'),
  };
}

/** Makes the folder, or takes an empty one. Throws `exists` for a folder with anything in it, `input` for a file. */
export async function claimEmptyFolder(dir: string): Promise<void> {
  const info = await stat(dir).catch(() => undefined);
  if (info && !info.isDirectory()) throw new FirebreakError('input', `${dir} is a file; name a folder`);
  if (info && (await readdir(dir)).length > 0) {
    throw new FirebreakError('exists', `${dir} is not empty; name a new or an empty folder`);
  }
  await mkdir(dir, { recursive: true, mode: 0o700 });
}
