/**
 * Where the ledger of a deployment is. Mostly on its folder, where a running one says so. Of one on another machine the file
 * `ledger.place` in the data folder tells: the address of its HTTP in the first line, that of its broker in the second.
 */
import { readFile } from 'node:fs/promises';
import { isTlsOrThisHost } from '../../host/loopback.js';
import { nothingWhenMissing } from '../../host/system-words.js';
import { requireBrokerUrl } from '../../courier/broker-url.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { DataFolder } from './folder.js';
import { findRunning, notRunning, waitForRunning, type Waiting } from '../files/run-files.js';

export interface LedgerPlace {
  readonly http: string;
  readonly mqtt: string;
}

/** Of a ledger on another machine; undefined without the file. Throws `input` for addresses that cannot be taken, `permission`. */
export async function ledgerElsewhere({ ledgerPlace: file }: DataFolder): Promise<LedgerPlace | undefined> {
  const text = await readFile(file, 'utf8').catch(nothingWhenMissing(file));
  if (text === undefined) return undefined;
  const [http = '', mqtt = '', ...rest] = text
    .trimEnd()
    .split('\n')
    .map((line) => line.trim());
  if (!isHttpAddress(http) || rest.length > 0)
    throw new FirebreakError(
      'input',
      `${file} has to hold the address of the ledger’s HTTP in one line, such as https://ledger.example.org, and that of its broker in the next, such as mqtts://ledger.example.org:8883`,
    );
  try {
    requireBrokerUrl(mqtt);
  } catch (cause) {
    if (!(cause instanceof FirebreakError)) throw cause;
    throw new FirebreakError(cause.code, `the second line of ${file}: ${cause.message}`, { cause });
  }
  return { http, mqtt };
}

/**
 * What is asked for is put behind it, so nothing may stand there that ends the path. The token for payloads goes there: in plain
 * text on this host only, and no address that holds a password.
 */
const isHttpAddress = (text: string): boolean =>
  /^https?:\/\/[^\s@?#]+$/.test(text) && URL.canParse(text) && isTlsOrThisHost(new URL(text));

/** Elsewhere, or where it runs on this folder; undefined when none does. Throws as {@link ledgerElsewhere} and {@link findRunning}. */
export const findLedger = async (folder: DataFolder): Promise<LedgerPlace | undefined> =>
  (await ledgerElsewhere(folder)) ?? (await findRunning(folder, 'ledger'));

const ELSEWHERE = 'of a ledger on another machine, write down where it is (docs/apart.md)';

/** As {@link findLedger}, waiting up to `waitMs` for one on this folder to come up. Throws `unreachable`, and the reason of the signal. */
export async function waitForLedger(
  waiting: Waiting,
  waitMs: number,
  otherwise = ELSEWHERE,
): Promise<LedgerPlace> {
  const elsewhere = await ledgerElsewhere(waiting.folder);
  return elsewhere ?? waitForRunning(waiting, 'ledger', waitMs, otherwise);
}

export const noLedger = (folder: DataFolder): FirebreakError => notRunning(folder, 'ledger', ELSEWHERE);

/** Throws `input` where the deployment's ledger is another's: a second one would sign a second log with its key. */
export const requireLedgerHere = (folder: DataFolder): Promise<void> =>
  requireHere(
    folder,
    'a second one here would begin a second log. Only if that one is gone for good, remove the file',
  );

/** Throws `input` where the deployment's ledger is another's, for what only the ledger's own files can answer. */
export const requireAskedHere = (folder: DataFolder): Promise<void> =>
  requireHere(folder, 'ask on its machine');

async function requireHere(folder: DataFolder, otherwise: string): Promise<void> {
  const elsewhere = await ledgerElsewhere(folder);
  if (elsewhere === undefined) return;
  throw new FirebreakError(
    'input',
    `the ledger of this deployment is at ${elsewhere.http}, says ${folder.ledgerPlace}: ${otherwise}`,
  );
}
