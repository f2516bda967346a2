/** What a reader believes of a ledger that says that a payload is pruned, or gives one. */
import { describe, expect, test } from 'vitest';
import { verifyLog } from '../../ledger/verify/verify.js';
import type { BatchItem } from '../../protocol/mqtt/batch.js';
import { toHex } from '../../protocol/bytes.js';
import type { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import {
  certificateItem,
  destroyedItem,
  issuer,
  logSigner,
  noticeItem,
  NOW_MS,
  pruningItem,
  reportItem,
  temporaryFolder,
} from './deployment.js';
import { DAY, gateway, grown, laterMs, RETENTION_DAYS } from './pruning-stage.js';

describe('a ledger that says of a payload that it is pruned', () => {
  test('is not believed unless an entry of the log says so', async () => {
    const { ledger, say, first } = await grown(await temporaryFolder());
    await say(issuer, destroyedItem(DAY), pruningItem(DAY));
    const reader = ledger.reader();
    const truth = { day: DAY, prunedAtMs: laterMs(RETENTION_DAYS + 1), prunedBy: 46 };
    const saying = async (lie: Partial<typeof truth>, of = first[0] ?? noticeItem('')) => {
      const hash = toHex(sha256(of.payload));
      const payloads: LedgerReader['payloads'] = async (hashes) => {
        const found = await reader.payloads(hashes);
        return found.map((one, i) =>
          toHex(hashes[i] ?? new Uint8Array()) === hash ? { ...truth, ...lie } : one,
        );
      };
      return verifyLog({ ...reader, payloads }, logSigner, { payloads: true });
    };
    expect((await saying({})).pruned).toMatchObject([{ payloads: 40 }]);
    for (const lie of [
      { prunedBy: 45 },
      { prunedBy: 3 },
      { day: DAY - 1 },
      { day: DAY + 2 },
      { prunedAtMs: NOW_MS },
    ])
      await expect(saying(lie), JSON.stringify(lie)).rejects.toMatchObject({ code: 'damaged' });
    await expect(saying({ prunedBy: 47 })).rejects.toMatchObject({
      code: 'unconfirmed',
      message: expect.stringMatching(/pruned by entry 47, .*checkpoint of 47 entries .*witnesses/) as string,
    });
    await expect(saying({}, noticeItem('kept'))).rejects.toMatchObject({ code: 'damaged' });
    await ledger.close();
  });

  test('is not believed of a day that the report cannot have been of', async () => {
    const { ledger, say } = await grown(await temporaryFolder());
    const reports = [0, 1, RETENTION_DAYS, RETENTION_DAYS + 1].map((days) =>
      reportItem(gateway, laterMs(days)),
    );
    await say(issuer, certificateItem(gateway, DAY + RETENTION_DAYS));
    expect(await say(gateway, ...reports)).toEqual([46, 47, 48, 49]);
    await say(issuer, destroyedItem(DAY), pruningItem(DAY));
    const reader = ledger.reader();
    const [truth] = await reader.payloads([sha256(reports[0]?.payload ?? new Uint8Array())]);
    expect(truth).toMatchObject({ day: DAY });
    const verdicts: unknown[] = [];
    for (const { payload } of reports) {
      const lost = toHex(sha256(payload));
      const payloads: LedgerReader['payloads'] = async (hashes) =>
        (await reader.payloads(hashes)).map((one, i) =>
          toHex(hashes[i] ?? new Uint8Array()) === lost ? truth : one,
        );
      const options = { payloads: true, retentionDays: RETENTION_DAYS };
      const verified = verifyLog({ ...reader, payloads }, logSigner, options);
      verdicts.push(
        await verified.then(
          () => 'believed',
          (error: FirebreakError) => error.message,
        ),
      );
    }
    const refusal = expect.stringContaining('a day that it cannot be of') as string;
    expect(verdicts).toEqual(['believed', 'believed', 'believed', refusal]);
    await ledger.close();
  });
});

describe('a ledger that gives other bytes than those that were logged', () => {
  test('is found out, also where they are as many', async () => {
    const { ledger, say, second } = await grown(await temporaryFolder());
    const pruning = pruningItem(DAY);
    await say(issuer, destroyedItem(DAY), pruning);
    const reader = ledger.reader();
    const giving = (of: BatchItem | undefined, change: (payload: Uint8Array) => Uint8Array) => {
      const hash = toHex(sha256(of?.payload ?? new Uint8Array()));
      const payloads: LedgerReader['payloads'] = async (hashes) =>
        (await reader.payloads(hashes)).map((one, i) =>
          one instanceof Uint8Array && toHex(hashes[i] ?? one) === hash ? change(one) : one,
        );
      return verifyLog({ ...reader, payloads }, logSigner, { payloads: true });
    };
    const zeros = ({ length }: Uint8Array) => new Uint8Array(length);
    const oneBit = (payload: Uint8Array) => payload.map((byte, i) => (i === 20 ? byte ^ 1 : byte));
    expect(await giving(pruning, (payload) => payload)).toMatchObject({ payloads: 7 });
    for (const [of, change, index] of [
      [second[1], zeros, 43],
      [second[1], oneBit, 43],
      [second[1], (payload: Uint8Array) => payload.slice(1), 43],
      [pruning, () => pruningItem(DAY + 1).payload, 46],
    ] as const)
      await expect(giving(of, change)).rejects.toMatchObject({
        code: 'damaged',
        message: `the payload of entry ${index} is not the one that was logged`,
      });
    await ledger.close();
  });
});
