/** Types 5 to 7: whose padding does not hide what is inside is refused. */
import { expect, onTestFinished, test } from 'vitest';
import { openLedger } from '../../ledger/ledger.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { batchOf, ledgerDeps, NOW_MS, officer, openReceipt, temporaryFolder } from './deployment.js';

test.each([
  ['a case', ENTRY_TYPE.case, [256, 512, 768, 65_536], [0, 1, 255, 257, 65_535]],
  ['an access', ENTRY_TYPE.access, [512, 1024, 65_536], [0, 1, 2, 256, 511, 513, 768, 65_280]],
  ['an identity', ENTRY_TYPE.identity, [256, 512, 768, 65_536], [0, 255, 300]],
])('%s is padded as protocol.md §10 says', async (_, type, good, bad) => {
  const types = [ENTRY_TYPE.case, ENTRY_TYPE.access, ENTRY_TYPE.identity];
  const writers = [{ publicKey: officer.publicKey, types }];
  const ledger = await openLedger(ledgerDeps(await temporaryFolder(), { writers }));
  onTestFinished(() => ledger.close());
  const lengths = [...good, ...bad];
  const items = lengths.map((length, i) => ({
    type,
    timeMs: NOW_MS,
    payload: new Uint8Array(length).fill(i),
  }));
  const batch = batchOf(officer, 1, items);
  const { outcomes } = openReceipt(await ledger.submit(batch), batch);
  expect(outcomes.map(({ reason }) => reason)).toEqual([...good.map(() => 0), ...bad.map(() => 1)]);
});
