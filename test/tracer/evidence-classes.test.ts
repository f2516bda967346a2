/** Evidence of traces that go by another class of attenuation than near: the seconds that count are those of the question. */
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../protocol/log.js';
import { DAY_SECONDS, epochOf } from '../../protocol/time.js';
import type { BucketSeconds, EncounterRecord } from '../../protocol/tag/encounter-record.js';
import { decodeEvidence } from '../../protocol/evidence/bundle.js';
import { openContactStore } from '../../tracer/contacts/open-contact-store.js';
import { NODE_STORE_DISK } from '../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../tracer/contacts/task-thread.js';
import type { AttenuationClass } from '../../tracer/walk/lens.js';
import { temporaryFolder } from './contacts/stage.js';
import { epochAt, NOON, recordOf, reportOf } from './deployment.js';
import {
  check,
  evidenceOf,
  recordingTracer,
  refusalOf,
  refusalsOfBends,
  request,
  signedAgain,
  supportsOf,
} from './evidence-stage.js';
import { MemoryLog } from './memory-log.js';

/** Immediate, near, medium and other. */
function heard(
  peer: number,
  start: number,
  bucketSeconds: BucketSeconds,
  epoch = epochOf(start),
): EncounterRecord {
  const seconds = bucketSeconds.reduce((sum, one) => sum + one, 0);
  return { ...recordOf(peer, start, seconds, epoch), bucketSeconds };
}

/** 1 was with 2 twice, longer at a distance than close by; and with 3 at a distance only. */
function bench(): MemoryLog {
  const log = new MemoryLog().fill(1);
  const later = NOON + 1_800;
  const records = [heard(2, NOON, [100, 200, 400, 50]), heard(2, later, [350, 50, 300, 0])];
  log.append(reportOf({ tag: 1, records: [...records, heard(3, NOON + 60, [0, 0, 700, 100])] }));
  log.append(reportOf({ tag: 2, records: [heard(1, NOON, [90, 200, 400, 0])] }));
  return log;
}

const stepsOf = (evidence: Uint8Array) =>
  check(evidence).reached.map(({ person, path: [step] }) => {
    const supports = supportsOf(step).map(({ start }) => start - NOON);
    return [person, (step?.start ?? 0) - NOON, step?.nearSeconds, supports];
  });

describe('evidence of a class of attenuation', () => {
  it.each<[AttenuationClass, number, unknown]>([
    ['immediate', 100, [['2', 0, 300, []]]],
    ['immediate', 300, [['2', 1_800, 400, []]]],
    ['immediate', 450, [['2', 1_800, 400, [0]]]],
    ['near', 400, [['2', 1_800, 400, []]]],
    [
      'medium',
      700,
      [
        ['2', 0, 300, []],
        ['3', 60, 0, []],
      ],
    ],
    ['medium', 1_400, [['2', 1_800, 400, [0]]]],
  ])('shows %s contacts of %i s, and those it takes to make them', async (attenuation, minSeconds, steps) => {
    // prettier-ignore
    const asked = { attenuation, minSeconds };
    const { result, evidence } = await evidenceOf(await recordingTracer(bench()), asked);
    expect(stepsOf(evidence)).toEqual(steps);
    expect(result.reached.map(({ person }) => person)).toEqual(check(evidence).reached.map(({ person }) => person)); // prettier-ignore
    expect(check(evidence).request).toEqual({ ...request, minSeconds, ...(attenuation !== 'near' && { attenuation }) }); // prettier-ignore
  });

  it('is refused under a look that asked for another class, or for more seconds', async () => {
    const tracer = await recordingTracer(bench());
    const medium = await evidenceOf(tracer, { attenuation: 'medium', minSeconds: 1_400 });
    const near = await evidenceOf(tracer, { minSeconds: 600 });
    const immediate = await evidenceOf(tracer, { attenuation: 'immediate', minSeconds: 450 });
    expect(near.result.reachedCount).toBe(1);
    // With the reports under the checkpoint of that look, so that nothing but the class is wrong.
    const under = (looked: Uint8Array, steps: Uint8Array) => {
      const { access, checkpoint, reports } = decodeEvidence(looked);
      const { contacts, names, reached } = decodeEvidence(steps);
      return refusalOf(signedAgain(looked, { access, checkpoint, reports, contacts, names, reached }));
    };
    expect(under(immediate.evidence, medium.evidence)).toBe('accepted'); // the same two contacts
    const far = await evidenceOf(tracer, { attenuation: 'medium', minSeconds: 700 }, ['2']);
    expect(under(far.evidence, far.evidence)).toBe('accepted');
    expect(under(immediate.evidence, far.evidence)).toMatch(/only 100 s immediate within 24 hours, and 450 s were asked/); // prettier-ignore
    expect(under(near.evidence, far.evidence)).toMatch(/only 300 s near within 24 hours, and 600 s were asked/); // prettier-ignore
    expect(under(medium.evidence, far.evidence)).toMatch(/only 700 s medium or nearer within 24 hours/);
    expect(under(far.evidence, medium.evidence)).toMatch(/more contacts than it takes/);
  });

  it('is refused with any byte of it changed', async () => {
    const tracer = await recordingTracer(bench());
    const { evidence } = await evidenceOf(tracer, { attenuation: 'medium', minSeconds: 1_400 });
    expect(refusalsOfBends(evidence).size).toBeGreaterThan(3);
  });
});

/** 1 and 2 tell the same contact, as long as one can be, in different buckets; the day after, others meet. */
function longContact(): MemoryLog {
  const log = new MemoryLog();
  const epoch = epochAt(NOON, 1); // an ephemeral ID is heard in the epochs next to its own too
  log.append(reportOf({ tag: 1, records: [heard(2, NOON, [2_700, 0, 0, 0], epoch)] }));
  log.append(reportOf({ tag: 2, records: [heard(1, NOON, [0, 2_700, 0, 0], epoch)] }));
  const at = NOON + DAY_SECONDS;
  log.append(reportOf({ tag: 5, records: [recordOf(6, at, 900)], at: at + 3_600 }));
  return log;
}

describe('evidence of a contact of more near seconds than a segment holds', () => {
  it.each([
    ['live', 4_096],
    ['sealed', 1],
  ])('says as many as it holds, where the contact is %s', async (kind, leastRows) => {
    const startThread = inlineTasks(NODE_STORE_DISK);
    const contacts = await openContactStore(await temporaryFolder(), {
      ...{ log: silentLog, startThread, leastRows },
    });
    const tracer = await recordingTracer(longContact(), { contacts });
    await contacts.settled();
    await tracer.catchUp();
    expect(contacts.status().segments > 0).toBe(kind === 'sealed');
    const { result, evidence } = await evidenceOf(tracer, { to: NOON + 7_200 });
    expect(result.reached.map(({ path }) => path.map(({ nearSeconds }) => nearSeconds))).toEqual([[4_095]]);
    expect(stepsOf(evidence)).toEqual([['2', 0, 4_095, []]]);
    await tracer.close();
  });
});
