/** A ledger that asks real witnesses over real HTTP, and what a test asks of it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { openLedger, type Ledger, type LedgerDeps } from '../../ledger/ledger.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { formatCosignerKey, type Cosigner } from '../../protocol/tlog/cosignature.js';
import { noteVerifierKey } from '../../protocol/tlog/note.js';
import { parsePolicy } from '../../protocol/tlog/policy-file.js';
import { readCosignatures, type WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import { until } from '../cli/firebreak-process.js';
import { startWitness, type WitnessChanges } from '../witness/running-witness.js';
import { batchOf, ledgerDeps, logSigner, noticeItem, officer } from './deployment.js';

export const TIMING = { timeoutMs: 1_000, backOffMs: 20, roundPauseMs: 5 };
const LOG_LINE = `log ${noteVerifierKey(logSigner.name, logSigner.publicKey)}\n`;
/** Nothing listens there. */
export const NOWHERE = 'http://127.0.0.1:9';

export const witnessNamed = (name: string, changes: WitnessChanges = {}) =>
  startWitness(name, { logs: [logSigner], ...changes });

export const startThree = () =>
  Promise.all(['hospital', 'ombudsman', 'press'].map((name) => witnessNamed(name)));

/** k of these must cosign. */
export function policyOf(
  k: number,
  witnesses: readonly { readonly name: string; readonly cosigner: Cosigner; readonly url: string }[],
): WitnessPolicy {
  const lines = witnesses.map(
    ({ name, cosigner, url }) => `witness ${name} ${formatCosignerKey(cosigner)} ${url}\n`,
  );
  const names = witnesses.map(({ name }) => name).join(' ');
  return parsePolicy(`${LOG_LINE}${lines.join('')}group all ${k} ${names}\nquorum all\n`);
}

export async function startLedger(
  dir: string,
  policy?: WitnessPolicy,
  changes: Partial<LedgerDeps> = {},
): Promise<Ledger> {
  const ledger = await openLedger(
    ledgerDeps(dir, { publicationTiming: TIMING, ...(policy && { policy }), ...changes }),
  );
  onTestFinished(() => ledger.close());
  return ledger;
}

/** At most 256. */
export const items = (seq: number, count: number, view = '') =>
  Array.from({ length: count }, (_, i) => noticeItem(`${view}${seq}/${i}`));

export const submit = (ledger: Ledger, seq: number, count = 1, view = '') =>
  ledger.submit(batchOf(officer, seq, items(seq, count, view)));

export const publishedSize = async (ledger: Ledger) =>
  openCheckpoint(await ledger.reader().checkpoint(), logSigner).size;
export const hasPublished = (ledger: Ledger, size: number) =>
  until(`${size} entries to be published`, async () => (await publishedSize(ledger)) === size || undefined, {
    patienceMs: 10_000,
    everyMs: 5,
  });
export const cosignersOf = async (ledger: Ledger, policy: WitnessPolicy) =>
  [...readCosignatures(await ledger.reader().checkpoint(), logSigner, policy).cosigned.keys()].sort();
export const failuresOf = (ledger: Ledger) =>
  Object.fromEntries(ledger.status().publication.witnesses.map(({ name, failure }) => [name, failure]));
export const says = (ledger: Ledger, name: string, words: string) =>
  until(`${name} to fail`, () => failuresOf(ledger)[name]?.includes(words) || undefined, { everyMs: 5 });

/** Takes connections and never answers. */
export const silentServer = (): Promise<string> => listening(() => {});

/** Answers each body as it is told to. */
export const servedBy = (answer: (body: Uint8Array) => Promise<Response>): Promise<string> =>
  listening(async (request, response) => {
    const told = await answer(await buffer(request));
    response.writeHead(told.status, Object.fromEntries(told.headers)).end(await told.text());
  });

type Listener = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

async function listening(listener: Listener): Promise<string> {
  const server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
