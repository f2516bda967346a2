import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordingBuilder } from '../../firmware-sim/recorded/contact-recording.js';
import type { ContactRecording } from '../../firmware-sim/recorded/contact-recording.js';
import { readContactsFile } from '../../firmware-sim/recorded/contacts-file.js';
import { wardAndHub } from '../../firmware-sim/scenario/scenario.js';
import { replayFleet } from '../../firmware-sim/recorded/fleet.js';
import type { FleetProgress } from '../../firmware-sim/recorded/fleet.js';
import { virtualClock } from '../../host/clock-virtual.js';
import { FirebreakError } from '../../protocol/errors.js';
import { resolveEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import { reportHash } from '../../protocol/tag/report.js';
import { dayOf } from '../../protocol/time.js';
import { seededRandom } from '../../radio/random.js';
import { recordedFile } from '../recordings.js';
import { pairEpochs } from './reference-trace.js';
import { testAuthority } from './test-authority.js';
import { testGateway } from './test-gateway.js';

const DAY = 86_400;
const START = 1_700_006_400;

function recordingOf(lines: Iterable<readonly [t: number, i: number, j: number]>): ContactRecording {
  const builder = recordingBuilder();
  for (const [t, i, j] of lines) builder.add({ t, i, j });
  return builder.finish('the test');
}

async function replay(recording: ContactRecording, busyFor = 0) {
  const clock = virtualClock(recording.startMs - 1000);
  const authority = testAuthority();
  const gateway = testGateway(authority, () => clock.nowMs());
  const random = seededRandom('fleet');
  const progress: FleetProgress[] = [];
  let refusals = busyFor;
  const summary = await replayFleet({
    recording,
    clock,
    station: authority.station,
    issuerPublicKey: authority.issuer.publicKey,
    central: {
      connect: async () => {
        if (refusals > 0) throw new FirebreakError('busy', `${(refusals -= 1)} more refusals`);
        return gateway.connect();
      },
    },
    gatewayAddress: 'c0ffee000001',
    random: (length) => random.bytes(length),
    onProgress: (at) => progress.push(at),
  });
  return { summary, authority, gateway, progress };
}

/** What the reports say, as tracing.md's pair-epochs: who of whom, in which epoch. */
function reported({ authority, gateway }: Awaited<ReturnType<typeof replay>>): string[] {
  return gateway.reports.flatMap((bytes) => {
    const { tag, plaintext } = authority.open(bytes);
    return plaintext.records.map((record) => {
      const { idKey } = authority.dayKeys(dayOf(record.start));
      const peer = resolveEphemeralId(idKey, record.peerEphId);
      const end = record.start + record.durationSeconds;
      return [tag, peer?.tag, peer?.epoch, record.start, end, ...record.bucketSeconds].join(' ');
    });
  });
}

const expected = (recording: ContactRecording): string[] =>
  pairEpochs(recording).flatMap(({ a, b, epoch, start, end, seconds }) => {
    const rest = [epoch, start, end, seconds, 0, 0, 0].join(' ');
    return [`${a} ${b} ${rest}`, `${b} ${a} ${rest}`];
  });

describe('a replayed recording', () => {
  it('gives exactly the records that tracing.md defines, from both sides, whatever was recorded', async () => {
    const line = fc.tuple(
      fc.integer({ min: 1, max: 300 }),
      fc.nat(4),
      fc.nat(4),
      fc.constantFrom(0, DAY - 3000),
    );
    const lines = fc.array(line, { minLength: 1, maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(lines, async (drawn) => {
        const steps = drawn.map(([step, i, j, later]) => [START + later + step * 20, i, j] as const);
        const recording = recordingOf([...steps, [START + 20, 7, 8]]);
        const run = await replay(recording);
        expect(reported(run).sort()).toEqual(expected(recording).sort());
        expect(run.summary).toMatchObject({ undelivered: 0, dropped: 0, failedSessions: 0 });
        expect(run.summary.sightings).toBe(recording.lines * 4);
      }),
      { numRuns: 25 },
    );
  });

  it('chains each tag’s reports by seq and hash', async () => {
    const hours = [0, 1, 2, 30].map((hour) => [START + hour * 3600 + 20, 1, 2] as const);
    const { authority, gateway } = await replay(recordingOf(hours));
    const ofOne = gateway.reports.filter((report) => authority.open(report).tag === 1);
    expect(ofOne).toHaveLength(4);
    ofOne.forEach((report, k) => {
      const before = ofOne[k - 1];
      const prev = before === undefined ? new Uint8Array(32) : reportHash(before);
      expect(authority.open(report).plaintext).toMatchObject({ seq: k, prev });
    });
  });

  it('longer than a week renews credentials by wire, across silent days', async () => {
    const days = [0, 1, 9, 16].map((day) => [START + day * DAY + 20, 1, 2] as const);
    const recording = recordingOf(days);
    const run = await replay(recording);
    expect(run.authority.requests).toEqual({ enrolled: 2, renewed: 4 });
    expect(reported(run).sort()).toEqual(expected(recording).sort());
  });

  it('is delivered whole by a gateway that is busy for a while', async () => {
    const recording = recordingOf([
      [START + 20, 1, 2],
      [START + 40, 2, 3],
    ]);
    const run = await replay(recording, 14);
    expect(reported(run).sort()).toEqual(expected(recording).sort());
    expect(run.summary).toMatchObject({ failedSessions: 14, undelivered: 0 });
  });

  it('says what no gateway took', async () => {
    const { summary } = await replay(recordingOf([[START + 20, 1, 2]]), 1000);
    expect(summary).toMatchObject({ records: 2, delivered: 0, undelivered: 2, reports: 0 });
  });

  it('reports progress that ends at one', async () => {
    const { progress, summary } = await replay(recordingOf([[START + 20, 1, 2]]));
    expect(progress.at(-1)).toMatchObject({ fraction: 1, reports: summary.reports, tags: 2 });
  });
});

const office = recordedFile('invs13-workplace.tij.gz');

describe(office ? 'two weeks in an office' : 'the built-in scenario, in place of a recording,', () => {
  it('is reported as it was recorded', async () => {
    const recording = office ? await readContactsFile(office) : wardAndHub().recording;
    const run = await replay(recording);
    expect(run.summary).toMatchObject({ tags: recording.persons.length, undelivered: 0, dropped: 0 });
    expect(reported(run).sort()).toEqual(expected(recording).sort());
  });
});
