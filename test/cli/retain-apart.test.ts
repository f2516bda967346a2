/** `authority retain` where the ledger is elsewhere: a line that is down hides nothing of what is here, and undoes nothing. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { folderAt, type DataFolder } from '../../cli/folder/folder.js';
import { takeOrders } from '../../cli/orders/order-desk.js';
import { announce } from '../../cli/files/run-files.js';
import { repeatUntilStopped } from '../../cli/terminal/shutdown.js';
import { encodeDays } from '../../ledger/http/days.js';
import { newDayRecord } from '../../ledger/store/day-record.js';
import { answering } from '../answering.js';
import { attempt } from './in-process.js';

const DAY = 20_000;
const ENDING = { ...newDayRecord(DAY), payloads: 2, payloadBytes: 900, destroyedBy: 7 };

let folder: DataFolder;
beforeEach(async () => {
  folder = folderAt(await mkdtemp(join(tmpdir(), 'firebreak-retain-apart-')));
  onTestFinished(() => rm(folder.dir, { recursive: true }));
  await attempt('authority', 'init', '--data-dir', folder.dir);
});

/** Says this many times what it stores; then its line is down. */
async function ledgerAnswering(times: number): Promise<string> {
  let left = times;
  const url = await answering((request, response) => {
    if (left-- > 0) response.end(encodeDays([ENDING]));
    else request.socket.destroy();
  });
  await writeFile(folder.ledgerPlace, `${url}\nmqtt://127.0.0.1:1\n`);
  return url;
}

/** One that ends what it is told to. */
async function runAuthority(): Promise<void> {
  onTestFinished(await announce(folder, 'authority', { http: 'http://127.0.0.1:1' }));
  const answer = async () => JSON.stringify([{ day: DAY, prunedBy: 8 }]);
  const stop = new AbortController();
  const rounds = repeatUntilStopped(20, stop.signal, () => takeOrders(folder, answer));
  onTestFinished(() => {
    stop.abort();
    return rounds;
  });
}

const retain = (...more: readonly string[]) =>
  attempt('authority', 'retain', '--data-dir', folder.dir, ...more);

describe('authority retain with a ledger elsewhere', () => {
  it('shows what is here when it cannot ask, and ends nothing', async () => {
    const url = await ledgerAnswering(0);
    const dry = await retain('--dry-run');
    expect(dry.text).toContain('the ledger cannot be asked');
    expect(dry.text).toContain('nothing was done: this was a dry run');
    expect(dry.code).toBe(0);
    const { code, text } = await retain();
    expect(text).toContain(`the ledger at ${url} does not answer`);
    expect(text).not.toContain('done:');
    expect(code).toBe(1);
  });

  it('says what was done when the line goes down after it', async () => {
    await ledgerAnswering(1);
    await runAuthority();
    const { code, text } = await retain();
    expect(text).toContain('keys destroyed; payloads pruned by entry 8');
    expect(text).toContain('the ledger cannot be asked now; it removes payloads while it runs');
    expect(code).toBe(0);
  });
});
