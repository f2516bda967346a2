import { describe, expect, test, vi } from 'vitest';
import { WriterDirectory } from '../../ledger/admission/writer.js';
import { AppendClock } from '../../ledger/sequence/append-clock.js';
import type { CheckedBatch } from '../../ledger/sequence/checked-batch.js';
import { DayRegister } from '../../ledger/store/day-record.js';
import { openLedger } from '../../ledger/ledger.js';
import { Sequencer } from '../../ledger/sequence/sequencer.js';
import { readEdge } from '../../ledger/start.js';
import { KEPT_DAY } from '../../ledger/store/store-keys.js';
import { openStoreLevel } from '../../ledger/store/store-open.js';
import { verifyLog } from '../../ledger/verify/verify.js';
import { batchHash } from '../../protocol/mqtt/batch.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { partyIdOf } from '../../protocol/keys.js';
import { silentLog } from '../../protocol/log.js';
import { faultyStore, type Fault } from './faulty-store.js';
import {
  batchOf,
  ledgerDeps,
  logSigner,
  noticeItem,
  officer,
  openReceipt,
  ORIGIN,
  standingClock,
  temporaryFolder,
} from './deployment.js';

function checked(seq: number): CheckedBatch {
  const item = noticeItem(`${seq}`);
  const common = {
    payloadSha256: sha256(item.payload),
    refusal: undefined,
    retentionDay: KEPT_DAY,
    statement: undefined,
  };
  const hash = batchHash(batchOf(officer, seq, [item]));
  return { writerId: partyIdOf(officer.publicKey), seq, batchHash: hash, items: [{ ...item, ...common }] };
}

async function sequencerOn(dir: string, fault: () => Fault | undefined) {
  await (await openLedger(ledgerDeps(dir))).close();
  const store = await openStoreLevel({
    dir,
    identity: { origin: ORIGIN, logPublicKey: logSigner.publicKey },
  });
  const edge = await readEdge(store, logSigner);
  const directory = new WriterDirectory([], []);
  const days = new DayRegister(await store.days());
  const given = { store: faultyStore(store, fault), edge, directory, days, logSigner };
  const clock = new AppendClock({ clock: standingClock(), log: silentLog }, store.state());
  return { store, sequencer: new Sequencer({ ...given, retentionDays: 21, clock }) };
}

describe('group commit', () => {
  test('puts everything that waits while a commit is in flight into the next one', async () => {
    const { store, sequencer } = await sequencerOn(await temporaryFolder(), () => undefined);
    await Promise.all(Array.from({ length: 50 }, (_, seq) => sequencer.submit(checked(seq))));
    expect(sequencer.commits).toBe(2);
    expect(store.state().size).toBe(50);
    await store.close();
  });

  test('does not look for the payloads of a batch that was answered', async () => {
    const { store, sequencer } = await sequencerOn(await temporaryFolder(), () => undefined);
    const lookup = vi.spyOn(store, 'lookup');
    await sequencer.submit(checked(0));
    await sequencer.submit(checked(0));
    const payloads = lookup.mock.calls.map(([{ payloads: asked }]) => asked.length);
    expect(payloads.reduce((sum, count) => sum + count, 0)).toBe(1);
    await store.close();
  });

  test.each(['not stored', 'stored'] as const)(
    'answers nobody when a write failed and was %s, stops, and is right again once opened anew',
    async (fault) => {
      const dir = await temporaryFolder();
      let next: Fault | undefined;
      const { store, sequencer } = await sequencerOn(dir, () => next);
      await sequencer.submit(checked(0));
      next = fault;
      const answers = await Promise.allSettled([1, 2, 3].map((seq) => sequencer.submit(checked(seq))));
      expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      next = undefined;
      await expect(sequencer.submit(checked(4))).rejects.toMatchObject({ code: 'closed' });
      expect(sequencer.failure?.message).toContain('the disk did not answer');
      await store.close();

      const ledger = await openLedger(ledgerDeps(dir));
      for (const seq of [0, 1, 2, 3, 4]) {
        const batch = batchOf(officer, seq, [noticeItem(`${seq}`)]);
        expect(openReceipt(await ledger.submit(batch), batch).outcomes).toEqual([{ reason: 0, index: seq }]);
      }
      expect((await verifyLog(ledger.reader(), logSigner, { payloads: true })).payloads).toBe(5);
      await ledger.close();
    },
  );
});
