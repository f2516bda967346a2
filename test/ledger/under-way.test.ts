/** What readers find of a commit while the disk writes it. */
import { EventEmitter, once } from 'node:events';
import { expect, test } from 'vitest';
import { openLedger } from '../../ledger/ledger.js';
import { NODE_DISK, type Disk } from '../../ledger/store/disk.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import type { BatchItem } from '../../protocol/mqtt/batch.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { batchOf, ledgerDeps, NOW_MS, officer, temporaryFolder } from './deployment.js';

/** Too large for a write on the ledger's own thread, however they come to be in commits. */
const itemsOf = (seq: number): BatchItem[] =>
  [0, 1].map((i) => ({
    type: ENTRY_TYPE.case,
    timeMs: NOW_MS,
    payload: Buffer.alloc(65_536, `${seq}/${i} `),
  }));

/** The real disk, which begins no write of a journal on another thread that holds `payload` before it is told to go on. */
function heldDisk(told: EventEmitter, payload: Buffer): Disk {
  const journals = new Set<number>();
  return {
    ...NODE_DISK,
    open: (path, flags, mode) => {
      const fd = NODE_DISK.open(path, flags, mode);
      if (path.includes('journal-')) journals.add(fd);
      else journals.delete(fd);
      return fd;
    },
    writeAsync: async (fd, piece) => {
      if (journals.has(fd) && piece.bytes.includes(payload)) {
        const goOn = once(told, 'go on');
        told.emit('begun');
        await goOn;
      }
      return NODE_DISK.writeAsync(fd, piece);
    },
  };
}

test('a payload is found when its batch is answered, and not while it is being written', async () => {
  const told = new EventEmitter();
  const begun = once(told, 'begun');
  const tuning = { disk: heldDisk(told, Buffer.from(itemsOf(2)[1]?.payload ?? '')) };
  const ledger = await openLedger(ledgerDeps(await temporaryFolder(), { storeTuning: tuning }));
  const answered = [0, 1, 2].map((seq) => ledger.submit(batchOf(officer, seq, itemsOf(seq))));
  await begun;
  const { size } = ledger.status();
  const hashes = itemsOf(2).map(({ payload }) => sha256(payload));
  expect(size).toBeLessThan(6);
  expect(await ledger.reader().payloads(hashes)).toEqual(hashes.map(() => undefined));
  expect(ledger.status().size).toBe(size);
  told.emit('go on');
  await Promise.all(answered);
  const found = await ledger.reader().payloads(hashes);
  expect(found.map((one) => one instanceof Uint8Array)).toEqual(hashes.map(() => true));
  await ledger.close();
});
