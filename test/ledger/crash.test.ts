import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openLedger } from '../../ledger/ledger.js';
import { verifyLog } from '../../ledger/verify.js';
import { decodeEntry } from '../../protocol/entry.js';
import type { LedgerReader } from '../../protocol/ledger-reader.js';
import { entriesOf } from '../../protocol/tile.js';
import {
  batchOf,
  ledgerDeps,
  logSigner,
  noticeItem,
  officer,
  openReceipt,
  temporaryFolder,
} from './deployment.js';

const CHILD = fileURLToPath(new URL('./crash-child.ts', import.meta.url));

interface Told {
  readonly seq: number;
  readonly receipt: string;
}

/** Runs the appending process until `killAfterMs` past its first receipt; gives what it told before it died. */
async function runAndKill(dir: string, firstSeq: number, killAfterMs: number): Promise<Told[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, dir, String(firstSeq)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const told: Told[] = [];
  let killing: Promise<void> | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.endsWith('}')) continue;
    told.push(JSON.parse(line) as Told);
    killing ??= sleep(killAfterMs).then(() => void child.kill('SIGKILL'));
  }
  await killing;
  return told;
}

const batchOfSeq = (seq: number) =>
  batchOf(
    officer,
    seq,
    Array.from({ length: 1 + (seq % 40) }, (_, i) => noticeItem(`${seq}/${i}`)),
  );

async function seqsInLog(reader: LedgerReader, size: number): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  for (let bundle = 0; bundle * 256 < size; bundle++) {
    const width = Math.min(256, size - bundle * 256);
    for (const bytes of entriesOf(await reader.entryBundle(bundle, width), width)) {
      const { sourceSeq } = decodeEntry(bytes);
      counts.set(sourceSeq, (counts.get(sourceSeq) ?? 0) + 1);
    }
  }
  return counts;
}

test(
  'killed again and again under load, it loses nothing it acknowledged and has nothing twice',
  { timeout: 120_000 },
  async () => {
    const dir = await temporaryFolder();
    const told = new Map<number, Told>();
    let nextSeq = 0;
    for (const killAfterMs of [0, 3, 17, 50, 111, 200]) {
      const heard = await runAndKill(dir, nextSeq, killAfterMs);
      for (const one of heard) told.set(one.seq, one);
      nextSeq = Math.max(nextSeq, ...heard.map(({ seq }) => seq)) + 100;
      const ledger = await openLedger(ledgerDeps(dir));
      const { size } = ledger.status();
      const { payloads } = await verifyLog(ledger.reader(), logSigner, { payloads: true });
      expect(payloads).toBe(size);
      const counts = await seqsInLog(ledger.reader(), size);
      for (const { seq } of told.values()) expect(counts.get(seq), `batch ${seq}`).toBe(1 + (seq % 40));
      for (const [seq, count] of counts) expect(count, `batch ${seq}`).toBe(1 + (seq % 40));
      for (const { seq, receipt } of heard.slice(-20)) {
        const batch = batchOfSeq(seq);
        const again = await ledger.submit(batch);
        expect(Buffer.from(again).toString('base64')).toBe(receipt);
        expect(openReceipt(again, batch).outcomes).toHaveLength(1 + (seq % 40));
      }
      expect(ledger.status().size).toBe(size);
      await ledger.close();
    }
    expect(told.size).toBeGreaterThan(20);
  },
);
