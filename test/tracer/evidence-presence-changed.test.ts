/** Bundles that show presence and were changed, by whoever holds one or by the tracer that signs it, and what they are refused with. */
import { describe, expect, it } from 'vitest';
import { asEpoch, asTagNumber, asUnixMs } from '../../protocol/brands.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { decodeEvidence } from '../../protocol/evidence/bundle.js';
import type { EvidenceBundle, EvidenceRow } from '../../protocol/evidence/bundle.js';
import type { ProvenEvidence } from '../../protocol/evidence/logged.js';
import type { EvidencePresence } from '../../protocol/evidence/presence.js';
import { partyIdOf } from '../../protocol/keys.js';
import { encodeGatewayPayload } from '../../protocol/payload/gateway.js';
import { decodePresenceReport, presenceSecret } from '../../protocol/session/presence-report.js';
import { signRevocation } from '../../protocol/session/revocation.js';
import { dayOf, epochOf } from '../../protocol/time.js';
import { payloadsNamed, provenEntries } from '../../tracer/evidence/fetch.js';
import {
  dayKeys,
  ephIdOf,
  gateway,
  gatewayEntry,
  issuer,
  NOON,
  presenceOf,
  presenceReportOf,
} from './deployment.js';
import { clinic, otherGateway } from './evidence-presence-stage.js';
import {
  evidenceOf,
  expectEndsToHold,
  recordingTracer,
  refusalOf,
  refusalsOfBends,
  signedAgain,
} from './evidence-stage.js';
import { logKey, MemoryLog } from './memory-log.js';
import type { Appended } from './memory-log.js';

const asked = { presence: true, minSeconds: 890 } as const;

/** Two people, one gateway, one report of it. */
const ROOM: readonly Appended[] = [
  gatewayEntry(),
  presenceReportOf([presenceOf(1, NOON, 890), presenceOf(2, NOON, 895)], NOON + 1_020),
];

function waitingRoom(): MemoryLog {
  const log = new MemoryLog();
  for (const entry of ROOM) log.append(entry);
  return log;
}

describe('a changed bundle that shows presence is refused', () => {
  it('whichever byte it is, and whichever bit of it', async () => {
    const { evidence } = await evidenceOf(await recordingTracer(waitingRoom()), asked);
    expect(refusalOf(evidence)).toBe('accepted');
    expect(decodeEvidence(evidence).presence?.copresences).toEqual([[[0], [1]]]);
    const codes = refusalsOfBends(evidence);
    for (const code of ['signature', 'evidence', 'format', 'proof', 'sealing'])
      expect(codes.get(code) ?? 0, code).toBeGreaterThan(5);
    expect(codes.get('signature')).toBeLessThan(evidence.length / 4);
  });

  it('with all eight bits of each byte that no hash, seal or proof covers', async () => {
    const { evidence } = await evidenceOf(await recordingTracer(waitingRoom()), asked);
    expectEndsToHold(evidence, 150);
  });

  it('cut short or longer, at any length', async () => {
    const { evidence } = await evidenceOf(await recordingTracer(waitingRoom()), asked);
    for (let length = 0; length < evidence.length; length += 7)
      expect(refusalOf(evidence.subarray(0, length))).toMatch(/^format: /);
    expect(refusalOf(Buffer.concat([evidence, Buffer.alloc(1)]))).toMatch(/^format: /);
  });
});

type Lie = (bundle: EvidenceBundle, presence: EvidencePresence) => Partial<EvidenceBundle>;

const inPresence =
  (change: (presence: EvidencePresence) => Partial<EvidencePresence>): Lie =>
  (_, presence) => ({ presence: { ...presence, ...change(presence) } });
const inRow =
  (place: number, change: (row: EvidenceRow) => Partial<EvidenceRow>): Lie =>
  ({ reached }) => ({ reached: reached.map((row, k) => (k === place ? { ...row, ...change(row) } : row)) });

/** Of the clinic: sightings 0 and 1 are of tags 1 and 2 in entry 4, 2 and 3 of 2 and 1 in entry 5, 4 and 5 of 4 and 3 in entry 11. */
const LIES: readonly (readonly [string, Lie, RegExp])[] = [
  [
    'a presence report is dropped',
    inPresence(({ reports }) => ({ reports: reports.slice(1) })),
    /a record that is not there|does not say whose|heard outside/,
  ],
  [
    'presence reports are in another order',
    inPresence(({ reports }) => ({ reports: reports.toReversed() })),
    /^evidence: presence report 1, entry 5: it is out of order/,
  ],
  [
    'a presence report is a tag’s',
    ({ reports }, presence) => ({ presence: { ...presence, reports: [...reports, ...presence.reports].sort((x, y) => x.index - y.index) } }), // prettier-ignore
    /presence report 2, entry 10: an entry of type 1, not 2/,
  ],
  [
    'a report of a tag is a gateway’s',
    ({ reports }, presence) => ({ reports: [...presence.reports.slice(0, 1), ...reports] }),
    /report 0, entry 4: an entry of type 2, not 1/,
  ],
  [
    'a secret opens another report',
    inPresence(({ reports: [one, two, ...rest] }) =>
      one && two ? { reports: [{ ...one, sharedSecret: two.sharedSecret }, two, ...rest] } : {},
    ),
    /^sealing: presence report 0, entry 4/,
  ],
  [
    'a gateway was not approved',
    inPresence(({ certificates }) => ({ certificates: certificates.slice(1) })),
    /^certificate: presence report 0, entry 4: no certificate in the bundle approves its gateway for that day/,
  ],
  [
    'certificates are in another order',
    inPresence(({ certificates }) => ({ certificates: certificates.toReversed() })),
    /certificate 1, entry 2: it is out of order/,
  ],
  [
    'a certificate is no certificate',
    inPresence(({ certificates, reports }) => ({ certificates: [...certificates, ...reports.slice(0, 1)] })),
    /certificate 2, entry 4: an entry of type 2, not 3/,
  ],
  [
    'the issuer is another',
    () => ({ issuerPublicKey: gateway.publicKey, reports: [], contacts: [] }),
    /^certificate: certificate 0, entry 2: the issuer did not sign it/,
  ],
  [
    'the two were at different gateways',
    inPresence(({ copresences }) => ({ copresences: copresences.map((sides, k) => (k === 0 ? [[0, 3], [5]] : sides)) })), // prettier-ignore
    /meeting 0 at a gateway: the two were at different gateways/,
  ],
  [
    'one stay is at different gateways',
    inPresence(({ copresences }) => ({ copresences: copresences.map((sides, k) => (k === 1 ? [[1, 5], [4]] : sides)) })), // prettier-ignore
    /meeting 1 at a gateway: a stay in it is of different people/,
  ],
  [
    'a stay is of different people',
    inPresence(({ copresences }) => ({ copresences: copresences.map((sides, k) => (k === 0 ? [[0, 2], sides[1]] : sides)) })), // prettier-ignore
    /meeting 0 at a gateway: a stay in it is of different people/,
  ],
  [
    'somebody met himself',
    inPresence(({ copresences: [one = [[], []], ...rest] }) => ({
      copresences: [[one[0], one[0]], ...rest],
    })),
    /meeting 0 at a gateway: it is of one person/,
  ],
  [
    'the two are in the wrong order',
    inPresence(({ copresences: [one = [[], []], ...rest] }) => ({
      copresences: [[one[1], one[0]], ...rest],
    })),
    /meeting 0 at a gateway: it is of one person, or of two in the wrong order/,
  ],
  [
    'they shared less than was asked',
    inPresence(({ copresences: [one = [[], []], ...rest] }) => ({ copresences: [[one[0].slice(0, 1), one[1].slice(0, 1)], ...rest] })), // prettier-ignore
    /sighting 2 of the bundle is not used/,
  ],
  [
    'nobody was seen',
    inPresence(({ copresences: [one = [[], []], ...rest] }) => ({ copresences: [[[], one[1]], ...rest] })),
    /meeting 0 at a gateway: nobody was seen for it/,
  ],
  [
    'sightings do not follow',
    inPresence(({ copresences: [one = [[], []], ...rest] }) => ({ copresences: [[one[0].toReversed(), one[1]], ...rest] })), // prettier-ignore
    /the sightings of a stay do not follow one another/,
  ],
  [
    'a sighting is not there',
    inPresence(({ copresences: [one = [[], []], ...rest] }) => ({ copresences: [[[77], one[1]], ...rest] })),
    /it names sighting 77, which is not there/,
  ],
  [
    'sightings are in another order',
    inPresence(({ sightings }) => ({ sightings: sightings.toReversed() })),
    /sighting 1: it is out of order/,
  ],
  [
    'a record is not there',
    inPresence(({ sightings }) => ({ sightings: sightings.map((one, k) => (k === 5 ? { ...one, record: 900 } : one)) })), // prettier-ignore
    /sighting 5: it cites a record that is not there/,
  ],
  [
    'a record is of somebody else',
    inPresence(({ sightings }) => ({ sightings: sightings.map((one, k) => (k === 1 ? { ...one, record: 1 } : one)) })), // prettier-ignore
    /sighting 1: the bundle does not say whose/,
  ],
  [
    'a stay is proven by less',
    inPresence(({ sightings }) => ({ sightings: sightings.map((one) => ({ ...one, beacons: 1 as const })) })),
    /a stay in it was broken off for 810 s/,
  ],
  [
    'meetings are in another order',
    inPresence(({ copresences }) => ({ copresences: copresences.toReversed() })),
    /meeting 1 at a gateway: it is out of order/,
  ],
  [
    'a meeting is nobody’s',
    inRow(2, (row) => ({ steps: row.steps.slice(0, 2) })),
    /meeting at a gateway 1 of the bundle is not used/,
  ],
  [
    'a step names no meeting',
    inRow(0, () => ({ steps: [{ copresence: 9 }] })),
    /reached person 0: it names meeting 9, which is not there/,
  ],
  [
    'somebody takes another’s place',
    ({ names }) => ({
      names: names.map((name) => ({ ...name, tag: asTagNumber(name.tag === 4 ? 44 : name.tag) })),
    }),
    /it is of one person, or of two in the wrong order|do not follow from one person/,
  ],
  [
    'a score is below what presence gives',
    inRow(0, () => ({ score: 0.001 })),
    /the score of person 0 is below what its path gives/,
  ],
];

describe('a tracer that signs what was not so is refused', () => {
  it.each(LIES)('when %s', async (_what, lie, words) => {
    const { evidence } = await evidenceOf(await recordingTracer(clinic()), asked);
    const bundle = decodeEvidence(evidence);
    if (bundle.presence === undefined) throw new Error('it shows presence');
    const forged = signedAgain(evidence, lie(bundle, bundle.presence));
    expect(forged).not.toEqual(evidence);
    expect(refusalOf(forged)).toMatch(words);
  });

  it('when the look asked for no presence, or for a longer time', async () => {
    const log = clinic();
    const tracer = await recordingTracer(log);
    const { evidence } = await evidenceOf(tracer, { ...asked, case: '2' }, ['1']);
    const plain = await evidenceOf(tracer, { minSeconds: 890, case: '2' });
    const long = await evidenceOf(tracer, { presence: true, minSeconds: 1_201, case: '2' });
    expect(refusalOf(evidence)).toBe('accepted');
    for (const [look, words] of [
      [plain, 'it goes by presence, which was not asked for'],
      [long, 'only 1200 s at one gateway, and 1201 s were asked'],
    ] as const) {
      const { access, checkpoint } = decodeEvidence(look.evidence);
      const moved = await movedUnder(log, evidence, checkpoint);
      const forged = signedAgain(evidence, { ...moved, access, checkpoint });
      expect(refusalOf(forged)).toBe(`evidence: reached person 0: ${words}`);
    }
  });

  it('when a stay was broken off, or more is cited than it takes', async () => {
    const log = clinic();
    const { evidence } = await evidenceOf(await recordingTracer(log), asked);
    const { presence, names, checkpoint } = decodeEvidence(evidence);
    if (presence === undefined) throw new Error('it shows presence');
    // The third report of the first gateway, in which 1 was seen for another quarter of an hour.
    const third = await provenUnder(log, checkpoint, 6);
    const sharedSecret = presenceSecret(decodePresenceReport(third.payload), dayKeys);
    const reports = presence.reports.toSpliced(2, 0, { ...third, sharedSecret });
    const seen = { report: 2, record: 1, beacons: 2 as const };
    const evening = presence.sightings.slice(4).map((one) => ({ ...one, report: 3 }));
    const sightings = [...presence.sightings.slice(0, 4), seen, ...evening];
    const epoch = asEpoch(epochOf(NOON + 1_800));
    const name = { ephId: ephIdOf(asTagNumber(1), epoch), tag: asTagNumber(1), epoch };
    const named = [...names, name].sort((x, y) => Buffer.compare(x.ephId, y.ephId));
    const told = (waited: readonly number[]) => {
      const copresences = [[waited, [1, 2]] as const, [[6], [5]] as const];
      const changed = { ...presence, reports, sightings, copresences };
      return refusalOf(signedAgain(evidence, { names: named, presence: changed }));
    };
    expect(told([0, 3, 4])).toMatch(/meeting 0 at a gateway: it cites more sightings than it takes/);
    expect(told([0, 4])).toMatch(/meeting 0 at a gateway: a stay in it was broken off for 910 s/);
  });

  it.each([
    ['of other days', gatewayEntry(undefined, { fromDay: dayOf(NOON) - 7 }), 0, /no certificate in the bundle approves its gateway for that day/], // prettier-ignore
    [
      'logged after the report',
      gatewayEntry(),
      2,
      /no certificate in the bundle approves its gateway for that day/,
    ],
    ['of another gateway', gatewayEntry(undefined, { of: otherGateway }), 0, /no certificate in the bundle approves its gateway for that day/], // prettier-ignore
    ['that the gateway signed itself', gatewayEntry(gateway), 0, /^certificate: certificate 0, entry 0: the issuer did not sign it/], // prettier-ignore
    ['that is a revocation', revocation(), 0, /certificate 0, entry 0: it revokes a gateway/],
  ])('when a gateway goes by a certificate %s', async (_which, statement, index, words) => {
    const log = new MemoryLog();
    if (index === 0) log.append(statement);
    for (const entry of ROOM) log.append(entry);
    log.append(index === 0 ? { type: 9, payload: new Uint8Array(1) } : statement);
    const { evidence } = await evidenceOf(await recordingTracer(log), asked);
    const { presence, checkpoint } = decodeEvidence(evidence);
    if (presence === undefined) throw new Error('it shows presence');
    expect(refusalOf(evidence)).toBe('accepted');
    const certificates = [await provenUnder(log, checkpoint, index)];
    expect(refusalOf(signedAgain(evidence, { presence: { ...presence, certificates } }))).toMatch(words);
    const both = [...certificates, ...presence.certificates].sort((x, y) => x.index - y.index);
    expect(refusalOf(signedAgain(evidence, { presence: { ...presence, certificates: both } }))).toMatch(
      /certificate/,
    );
  });
});

function revocation(): Appended {
  const gatewayId = partyIdOf(gateway.publicKey);
  const revoked = signRevocation(issuer, { gatewayId, fromMs: asUnixMs(NOON * 1000) });
  const payload = encodeGatewayPayload({ kind: 'revoked', salt: new Uint8Array(16), revocation: revoked });
  return { type: ENTRY_TYPE.gateway, payload };
}

async function provenUnder(log: MemoryLog, note: string, index: number): Promise<ProvenEvidence> {
  const proven = await provenEntries(log.reader(), openCheckpoint(note, logKey), [index]);
  const [entry] = proven;
  const [payload] = await payloadsNamed(log.reader(), proven);
  if (entry === undefined || payload === undefined) throw new Error('there is no such entry');
  return { ...entry, payload };
}

/** All that is cited, under another checkpoint of the log. */
async function movedUnder(
  log: MemoryLog,
  evidence: Uint8Array,
  note: string,
): Promise<Partial<EvidenceBundle>> {
  const { reports, presence } = decodeEvidence(evidence);
  if (presence === undefined) throw new Error('it shows presence');
  const move = <T extends ProvenEvidence>(cited: readonly T[]): Promise<T[]> =>
    Promise.all(cited.map(async (one) => ({ ...one, ...(await provenUnder(log, note, one.index)) })));
  const certificates = await move(presence.certificates);
  const moved = { ...presence, certificates, reports: await move(presence.reports) };
  return { reports: await move(reports), presence: moved };
}
