/** A ledger that shows two views, each to witnesses: the second never gathers a quorum, and readers who ask for one refuse it. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { FirebreakError } from '../../protocol/errors.js';
import {
  NO_WITNESSES,
  openWitnessedCheckpoint,
  type WitnessPolicy,
} from '../../protocol/tlog/witness-policy.js';
import { until } from '../cli/firebreak-process.js';
import { logSigner, temporaryFolder } from './deployment.js';
import {
  cosignersOf,
  hasPublished,
  NOWHERE,
  policyOf,
  publishedSize,
  says,
  startLedger,
  startThree,
  submit,
} from './witnessed-ledger.js';

describe('a forked ledger', () => {
  /** Two views of one log from entry 5 on, with the same keys. */
  async function forkedFolders(policy: WitnessPolicy): Promise<readonly [string, string]> {
    const one = await temporaryFolder();
    const ledger = await startLedger(one, policy);
    await submit(ledger, 0, 5);
    await hasPublished(ledger, 5);
    await ledger.close();
    const two = join(await temporaryFolder(), 'copy');
    await cp(one, two, { recursive: true });
    return [one, two];
  }

  const missingIn = (note: string, policy: WitnessPolicy): string => {
    try {
      openWitnessedCheckpoint(note, logSigner, policy);
      return '';
    } catch (error) {
      return error instanceof FirebreakError && error.code === 'witness' ? error.message : 'another error';
    }
  };

  test.each([3, 7, 1])('gathers no second quorum, with %i entries against 3', async (entries) => {
    const policy = policyOf(2, await startThree());
    const [one, two] = await forkedFolders(policy);
    const first = await startLedger(one, policy);
    await submit(first, 1, 3, 'first ');
    await hasPublished(first, 8);
    await until('all', async () => (await cosignersOf(first, policy)).length === 3 || undefined);

    const second = await startLedger(two, policy);
    await submit(second, 1, entries, 'second ');
    for (const name of ['hospital', 'ombudsman', 'press'])
      await says(second, name, entries < 3 ? 'it was set back, or another ledger runs' : 'it was forked');
    expect(await publishedSize(second)).toBe(5);
    expect(second.status().size).toBe(5 + entries);
    await second.close();

    // it can still lie to those who ask for no witness; whoever has the policy is told who is missing
    const liar = await startLedger(two, NO_WITNESSES);
    const lie = await liar.reader().checkpoint();
    expect(openCheckpoint(lie, logSigner).size).toBe(5 + entries);
    expect(missingIn(lie, policy)).toContain('missing hospital, ombudsman, press');
    // nor do the cosignatures of the first view fit the second
    const honest = await first.reader().checkpoint();
    const stolen = lie + honest.slice(honest.indexOf('\n— witness') + 1);
    expect(() => openWitnessedCheckpoint(stolen, logSigner, policy)).toThrow('is not valid');
  });

  test('shown first to one witness alone gathers that one, and no quorum', async () => {
    const [hospital, ombudsman, press] = await startThree();
    if (!hospital || !ombudsman || !press) throw new Error('three were started');
    const policy = policyOf(2, [hospital, ombudsman, press]);
    const [one, two] = await forkedFolders(policy);
    const lost = { ...press, url: NOWHERE };
    const first = await startLedger(one, policyOf(2, [hospital, ombudsman, lost]));
    await submit(first, 1, 3, 'first ');
    await hasPublished(first, 8);

    const second = await startLedger(two, policy);
    await submit(second, 1, 6, 'second ');
    await until(
      'press to be fooled',
      () =>
        second
          .status()
          .publication.witnesses.some(({ name, cosignedSize }) => name === 'press' && cosignedSize === 11) ||
        undefined,
    );
    await says(second, 'hospital', 'it was forked');
    await says(second, 'ombudsman', 'it was forked');
    expect(await publishedSize(second)).toBe(5);
    // once both have shown themselves to all, the one that was fooled says so too
    await first.close();
    const again = await startLedger(one, policy);
    await submit(again, 2, 1, 'first ');
    await hasPublished(again, 9);
    await says(again, 'press', 'another ledger runs');
  });
});
