import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { openLedger } from '../../../ledger/ledger.js';
import { batchOf, ledgerDeps, noticeItem, officer, temporaryFolder } from '../deployment.js';
import { program } from '../../program.js';
import { requireSound } from './sound.js';

const CHILD = new URL('./full-child.ts', import.meta.url);

const batchOfSeq = (seq: number) =>
  batchOf(
    officer,
    seq,
    Array.from({ length: 64 }, (_, i) => noticeItem(`${seq}/${i}`)),
  );

interface Failure {
  readonly code: string;
  readonly message: string;
}

interface Line {
  readonly seq?: number;
  readonly receipt?: string;
  readonly refused?: Failure;
  readonly failure?: string;
  readonly closing?: Failure;
}

/** Runs the appending process where no file may grow beyond `kibibytes` (RLIMIT_FSIZE), which says EFBIG, until it ends. */
async function appendUnderLimit(dir: string, kibibytes: number): Promise<Line[]> {
  const command = `ulimit -f ${kibibytes} && exec "$0" "$1" "$2"`;
  const child = spawn('bash', ['-c', command, process.execPath, program(CHILD), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: Line[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(JSON.parse(line) as Line);
  return lines;
}

describe('a ledger whose disk takes no more', () => {
  test.each([300, 2000])(
    'stops as full at %i KiB, says what to do, and has all it acknowledged once there is room',
    async (kibibytes) => {
      const dir = await temporaryFolder();
      const lines = await appendUnderLimit(dir, kibibytes);
      const told = lines.filter(({ seq }) => seq !== undefined);
      expect(told.length).toBeGreaterThan(5);
      const { refused, failure } = lines.find((line) => line.refused !== undefined) ?? {};
      expect(refused).toMatchObject({
        code: 'full',
        message: expect.stringMatching(
          /disk of the ledger's folder .* is full: make room, then start again/,
        ) as string,
      });
      expect(failure).toBe(refused?.message);
      const closing = lines.flatMap((line) => line.closing ?? []);
      for (const { code } of closing) expect(code).toBe('full');

      const ledger = await openLedger(ledgerDeps(dir));
      for (const { seq = 0, receipt } of told)
        expect(Buffer.from(await ledger.submit(batchOfSeq(seq))).toString('base64')).toBe(receipt);
      await ledger.submit(batchOfSeq(told.length));
      await ledger.submit(batchOfSeq(told.length + 1));
      expect(ledger.status().size).toBe(64 * (told.length + 2));
      await ledger.close();
      await requireSound(dir);
    },
  );
});
