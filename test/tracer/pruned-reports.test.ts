import { expect, it } from 'vitest';
import { asUnixMs } from '../../protocol/brands.js';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import { memoryContactStore } from '../../tracer/contacts/open-contact-store.js';
import { Intake } from '../../tracer/intake/intake.js';
import {
  gatewayEntry,
  issuer,
  keysOf,
  NOON,
  presenceOf,
  presenceReportOf,
  reportOf,
  SAMPLE_HOLD_SECONDS,
} from './deployment.js';
import { MemoryLog } from './memory-log.js';
import { entriesOf } from './opening/logged-things.js';

const day = dayOf(NOON);

async function takenOf(...pruned: ReturnType<typeof reportOf>[]): Promise<Intake> {
  const log = new MemoryLog();
  log.nowMs = NOON * 1000;
  for (const entry of [gatewayEntry(), ...pruned]) log.append(entry);
  const prunedAtMs = asUnixMs((NOON + 30 * DAY_SECONDS) * 1000);
  for (const { payload } of pruned) log.pruneBy(payload, { day, prunedAtMs, prunedBy: 0 });
  const settings = { issuerPublicKey: issuer.publicKey, retentionDays: 21, sampleHoldSeconds: SAMPLE_HOLD_SECONDS }; // prettier-ignore
  const intake = new Intake(
    { ...settings, reader: log.reader(), dayKeys: keysOf([day]) },
    memoryContactStore(),
  );
  await intake.takePage(entriesOf(log));
  return intake;
}

it('of reports that are pruned only those that a tag may name as the one before are remembered', async () => {
  const remembered = (intake: Intake) => intake.sections().get('report chains')?.length ?? 0;
  const none = await takenOf();
  const ofTag = await takenOf(reportOf({ tag: 1, records: [] }));
  const ofGateway = await takenOf(presenceReportOf([presenceOf(1, NOON, 300)]));
  expect([ofTag.status().prunedPayloads, ofGateway.status().prunedPayloads]).toEqual([1, 1]);
  expect(remembered(ofTag)).toBeGreaterThan(remembered(none));
  expect(remembered(ofGateway)).toBe(remembered(none));
});
