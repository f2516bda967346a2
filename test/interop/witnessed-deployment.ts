/** A deployment as people run it, `firebreak` commands and processes, with two witnesses: litewitness and one of ours. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../cli/folder/config.js';
import { createDeployment, signerFrom } from '../../cli/folder/deployment.js';
import { folderAt } from '../../cli/folder/folder.js';
import { openLedger } from '../../ledger/ledger.js';
import { MAX_BATCH_ITEMS } from '../../protocol/mqtt/batch.js';
import { noteSigner } from '../../protocol/tlog/note.js';
import { parsePolicy } from '../../protocol/tlog/policy-file.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { startFirebreak, until, type FirebreakProcess } from '../cli/firebreak-process.js';
import { attempt } from '../cli/in-process.js';
import { batchOf, ledgerDeps, noticeItem, officer } from '../ledger/deployment.js';
import { startLitewitness } from './litewitness.js';

export interface WitnessedDeployment {
  readonly dataDir: string;
  /** As `firebreak ledger vkey` says. */
  readonly vkey: string;
  /** A file: both must cosign. */
  readonly policy: string;
  /** Appends entries while the ledger does not run. */
  append(size: number): Promise<void>;
  /** Starts `firebreak ledger run`; gives its URL once it has published so many entries. */
  runLedger(size: number): Promise<string>;
  stopLedger(): Promise<void>;
  close(): Promise<void>;
}

const THEIRS = 'litewitness.example/w1';
const OURS = 'ombudsman.example/witness';

/** Our witness, as a process; it trusts the log. */
async function runWitness(
  folder: string,
  vkey: string,
): Promise<[FirebreakProcess, url: string, key: string]> {
  await attempt('witness', 'init', folder, '--name', OURS);
  await attempt('witness', 'trust', folder, '--log', vkey);
  const { text } = await attempt('witness', 'show', folder);
  const witness = startFirebreak(['witness', 'run', folder, '--port', '0']);
  await witness.says('the witness is up');
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(witness.stderr())?.[0] ?? '';
  return [witness, url, /public key (\S+)/.exec(text)?.[1] ?? ''];
}

/** Appends notices up to `size` entries in all; no other kind is in the log. */
async function fill(
  config: Config,
  size: number,
  policyFile: string | undefined,
  dataDir: string,
): Promise<void> {
  const { store, logKey } = folderAt(dataDir).ledger;
  const logSigner = noteSigner(config.origin, await signerFrom(logKey));
  const policy = policyFile === undefined ? {} : { policy: parsePolicy(await readFile(policyFile)) };
  const ledger = await openLedger(ledgerDeps(store, { logSigner, ...policy }));
  try {
    for (let at = ledger.status().size; at < size; at = ledger.status().size) {
      const count = Math.min(MAX_BATCH_ITEMS, size - at);
      const items = Array.from({ length: count }, (_, i) => noticeItem(`entry ${at + i}`));
      await ledger.submit(batchOf(officer, at, items));
    }
  } finally {
    await ledger.close();
  }
}

/** The log and both witnesses: a log that asked none before shows what it published then until they have cosigned. */
const SIGNERS = 3;
const sizeOf = (checkpoint: string): number => Number(checkpoint.split('\n')[1]);
const signaturesOf = (checkpoint: string): number =>
  checkpoint.split('\n').filter((line) => line.startsWith('— ')).length;

async function runLedgerOn(
  dataDir: string,
  policy: string,
  size: number,
): Promise<[FirebreakProcess, string]> {
  const process = startFirebreak(['ledger', 'run', '--data-dir', dataDir, '--policy', policy]);
  try {
    await process.says('the ledger is up');
    const url = /\bhttp\S*(http:\/\/127\.0\.0\.1:\d+)/.exec(process.stderr())?.[1] ?? '';
    await until(`${size} entries to be published`, async () => {
      const checkpoint = await fetch(`${url}/checkpoint`).then((answer) => answer.text());
      return (sizeOf(checkpoint) === size && signaturesOf(checkpoint) === SIGNERS) || undefined;
    });
    return [process, url];
  } catch (error) {
    await process.kill();
    throw error;
  }
}

/** Begins one in a new folder; its ledger does not run yet and has no entries. */
export async function witnessedDeployment(): Promise<WitnessedDeployment> {
  const dir = await mkdtemp(join(tmpdir(), 'fb-deployment-')); // short: a socket is in it
  const dataDir = join(dir, 'data');
  const config = await createDeployment(folderAt(dataDir), { settings: DEFAULT_SETTINGS });
  const vkey = (await attempt('ledger', 'vkey', '--data-dir', dataDir)).text.trim();
  const litewitness = await startLitewitness(join(dir, 'theirs'), THEIRS, [{ origin: config.origin, vkey }]);
  const [witness, url, key] = await runWitness(join(dir, 'ours'), vkey).catch(async (error: unknown) => {
    await litewitness.kill();
    throw error;
  });
  const policy = join(dir, 'both.policy');
  await writeFile(
    policy,
    `log ${vkey}\n\nwitness theirs ${litewitness.vkey} ${litewitness.url}\n` +
      `witness ours ${key} ${url}\ngroup both all theirs ours\nquorum both\n`,
  );
  let isBegun = false;
  let ledger: FirebreakProcess | undefined;
  return {
    dataDir,
    vkey,
    policy,
    append: (size) => fill(config, size, isBegun ? policy : undefined, dataDir),
    runLedger: async (size) => {
      const [process, url] = await runLedgerOn(dataDir, policy, size);
      ledger = process;
      isBegun = true;
      return url;
    },
    stopLedger: async () => {
      ledger?.child.kill('SIGTERM');
      await ledger?.ended;
    },
    close: async () => {
      for (const process of [ledger, witness]) await process?.kill();
      await litewitness.kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
