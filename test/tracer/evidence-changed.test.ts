/** Bundles that were changed, by whoever holds one or by the tracer that signs it, and what they are refused with. */
import { describe, expect, it } from 'vitest';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { decodeEvidence } from '../../protocol/evidence/bundle.js';
import type { EvidenceBundle, EvidenceRow } from '../../protocol/evidence/bundle.js';
import { noteSigner } from '../../protocol/tlog/note.js';
import { dayOf, epochOf } from '../../protocol/time.js';
import { provenEntries } from '../../tracer/evidence/fetch.js';
import { gateway, issuer, keysOf, NOON, recordOf, reportOf } from './deployment.js';
import {
  evidenceOf,
  pair,
  refusalOf,
  refusalsOfBends,
  request,
  signedAgain,
  recordingTracer,
  ward,
  expectEndsToHold,
} from './evidence-stage.js';
import { logKey, MemoryLog } from './memory-log.js';

describe('a changed bundle is refused', () => {
  it('whichever byte it is, and whichever bit of it', async () => {
    const { evidence } = await evidenceOf(await recordingTracer(pair()));
    expect(refusalOf(evidence)).toBe('accepted');
    const codes = refusalsOfBends(evidence);
    // Most are told by what they are; the signature over the whole is left with what nothing else binds.
    for (const code of ['signature', 'evidence', 'format', 'proof', 'sealing'])
      expect(codes.get(code) ?? 0, code).toBeGreaterThan(10);
    expect(codes.get('signature')).toBeLessThan(evidence.length / 5);
  });

  it('with all eight bits of each byte that no hash, seal or proof covers', async () => {
    const { evidence } = await evidenceOf(await recordingTracer(pair()));
    expectEndsToHold(evidence, 300);
  });

  it('when a record is said to be proven by a beacon that has no place in it', async () => {
    const log = new MemoryLog();
    const record = recordOf(2, NOON, 900);
    const later = { ...record.proofB, minuteOffset: 17 };
    log.append(reportOf({ tag: 1, records: [{ ...record, proofB: later }] }));
    const { evidence } = await evidenceOf(await recordingTracer(log), { minSeconds: 60 });
    const { contacts } = decodeEvidence(evidence);
    expect(contacts).toEqual([[{ report: 0, record: 0, beacons: 1 }]]);
    const proven = signedAgain(evidence, { contacts: [[{ report: 0, record: 0, beacons: 2 }]] });
    expect(refusalOf(proven)).toMatch(/^evidence: contact 0: .*out of place/);
  });

  it('cut short or longer, at any length', async () => {
    const { evidence } = await evidenceOf(await recordingTracer(pair()));
    for (let length = 0; length < evidence.length; length += 13)
      expect(refusalOf(evidence.subarray(0, length))).toMatch(/^format: /);
    expect(refusalOf(Buffer.concat([evidence, Buffer.alloc(1)]))).toMatch(/^format: /);
  });

  it('by whoever is not the tracer that recorded the look', async () => {
    const { evidence } = await evidenceOf(await recordingTracer(pair()));
    const forged = signedAgain(evidence, {}, fastSigner(new Uint8Array(32).fill(1)));
    expect(refusalOf(forged)).toMatch(/^evidence: the look, entry 2: it was not written with the key/);
  });

  it('for the log of somebody else, and another issuer', async () => {
    const { evidence } = await evidenceOf(await recordingTracer(pair()));
    const other = noteSigner('log.example/other', fastSigner(new Uint8Array(32).fill(8)));
    const openOther = (note: string) => openCheckpoint(note, other);
    expect(refusalOf(evidence, { openCheckpoint: openOther })).toMatch(
      /^signature: the checkpoint of the bundle/,
    );
    expect(refusalOf(evidence, { issuerPublicKey: gateway.publicKey })).toMatch(
      /^evidence: .*another issuer/,
    );
    expect(refusalOf(evidence, { issuerPublicKey: issuer.publicKey })).toBe('accepted');
  });
});

type Lie = (bundle: EvidenceBundle) => Partial<EvidenceBundle>;

/** Changes the first of a list. */
const first = <T>([one, ...rest]: readonly T[], change: (one: T) => Partial<T>): T[] => {
  if (one === undefined) throw new Error('there is nothing to change');
  return [{ ...one, ...change(one) }, ...rest];
};
const inRow =
  (place: number, change: (row: EvidenceRow) => Partial<EvidenceRow>): Lie =>
  ({ reached }) => ({ reached: reached.map((row, k) => (k === place ? { ...row, ...change(row) } : row)) });
const swapped = <T>(list: readonly T[], pick: (other: T | undefined) => Partial<T>): T[] =>
  first(list, () => pick(list[1]));

const LIES: readonly (readonly [string, Lie, RegExp])[] = [
  [
    'a report is dropped',
    ({ reports }) => ({ reports: reports.slice(1) }),
    /does not say whose|not used|not there|record/,
  ],
  [
    'a report is there twice',
    ({ reports }) => ({ reports: [...reports.slice(0, 1), ...reports] }),
    /report 1, entry 3: it is out of order/,
  ],
  [
    'reports are in another order',
    ({ reports }) => ({ reports: reports.toReversed() }),
    /report 1, entry 266: it is out of order/,
  ],
  [
    'a proof is another entry’s',
    ({ reports }) => ({ reports: swapped(reports, (other) => ({ proof: other?.proof ?? [] })) }),
    /^proof: report 0, entry 3/,
  ],
  [
    'a report stands for another entry',
    ({ reports }) => ({ reports: first(reports, () => ({ index: 4 })) }),
    /^proof: report 0, entry 4/,
  ],
  [
    'a payload is another’s',
    ({ reports }) => ({
      reports: swapped(reports, (other) => ({ payload: other?.payload ?? new Uint8Array() })),
    }),
    /not the one that the entry names/,
  ],
  [
    'an entry is another’s',
    ({ reports }) => ({
      reports: swapped(reports, (other) => ({ entry: other?.entry ?? new Uint8Array() })),
    }),
    /^proof: report 0/,
  ],
  [
    'a secret opens another report',
    ({ reports }) => ({
      reports: swapped(reports, (other) => ({ sharedSecret: other?.sharedSecret ?? new Uint8Array(32) })),
    }),
    /^sealing: report 0/,
  ],
  [
    'the look is a report',
    ({ reports }) => ({ access: reports[0] as EvidenceBundle['access'] }),
    /type 1, not 6/,
  ],
  ['a report is the look', ({ access }) => ({ reports: [access] }), /logged after the look/],
  ['a name is missing', ({ names }) => ({ names: names.slice(1) }), /does not say whose/],
  [
    'a name is not needed',
    ({ names }) => ({
      names: [{ ephId: new Uint8Array(16), tag: asTagNumber(99), epoch: asEpoch(1) }, ...names],
    }),
    /ephemeral ID 0 of the bundle is not used/,
  ],
  [
    'names are in another order',
    ({ names }) => ({ names: names.toReversed() }),
    /ephemeral ID 1 of the bundle is out of order/,
  ],
  [
    'one tag has two IDs in one epoch',
    ({ names }) => ({ names: names.map((name) => ({ ...name, tag: asTagNumber(2), epoch: epochOf(NOON) })) }),
    /two ephemeral IDs/,
  ],
  [
    'IDs are of another epoch',
    ({ names }) => ({ names: names.map((name) => ({ ...name, epoch: asEpoch(name.epoch + 2) })) }),
    /in another epoch than its credential/,
  ],
  [
    'somebody takes another’s place',
    ({ names }) => ({
      names: names.map((name) => ({ ...name, tag: asTagNumber(name.tag === 4 ? 44 : name.tag) })),
    }),
    /do not follow from one person/,
  ],
  [
    'a tag heard itself',
    ({ names }) => ({
      names: names.map((name) => ({
        ...name,
        tag: asTagNumber(name.tag === 4 ? 3 : name.tag),
        epoch: name.epoch,
      })),
    }),
    /heard itself/,
  ],
  ['a contact is missing', ({ contacts }) => ({ contacts: contacts.slice(0, -1) }), /not used|not there/],
  [
    'contacts are in another order',
    ({ contacts }) => ({ contacts: contacts.toReversed() }),
    /contact 1 is out of order/,
  ],
  ['a contact rests on nothing', ({ contacts }) => ({ contacts: [[], ...contacts] }), /rests on nothing/],
  [
    'a contact is told by one side less',
    ({ contacts: [one = [], ...rest] }) => ({ contacts: [one.slice(0, 1), ...rest] }),
    /not used/,
  ],
  [
    'a contact is cut in two',
    ({ contacts: [one = [], ...rest] }) => ({ contacts: [one.slice(0, 1), one.slice(1), ...rest] }),
    /same two and epoch/,
  ],
  [
    'a contact is of two pairs',
    ({ contacts: [one = [], two = [], ...rest] }) => ({
      contacts: [[...one, ...two].sort((x, y) => x.report - y.report || x.record - y.record), ...rest],
    }),
    /different people or epochs/,
  ],
  [
    'a record is cited twice',
    ({ contacts: [one = [], two = [], ...rest] }) => ({
      contacts: [one, [...one.slice(1), ...two], ...rest],
    }),
    /cited for two contacts/,
  ],
  [
    'a record is not there',
    ({ contacts: [one = [], ...rest] }) => ({
      contacts: [one.map((record, k) => (k === 1 ? { ...record, record: 1000 } : record)), ...rest],
    }),
    /a record that is not there/,
  ],
  [
    'a record is proven by less',
    ({ contacts }) => ({
      contacts: contacts.map((records) => records.map((record) => ({ ...record, beacons: 1 as const }))),
    }),
    /only 90 s near within 24 hours, and 900 s were asked/,
  ],
  [
    'a contact is nobody’s',
    inRow(2, (row) => ({ steps: row.steps.slice(0, 2) })),
    /contact \d+ of the bundle is not used/,
  ],
  [
    'a person is added',
    ({ reached }) => ({
      reached: [...reached, ...reached.slice(2).map((row) => ({ ...row, person: asTagNumber(77) }))],
    }),
    /reached person 3: its contacts do not follow/,
  ],
  [
    'a person is listed twice',
    ({ reached }) => ({ reached: [...reached, ...reached.slice(2)] }),
    /listed twice/,
  ],
  [
    'people are in another order',
    ({ reached }) => ({ reached: reached.toReversed() }),
    /person 1 is out of order/,
  ],
  ['a path has no step', inRow(1, () => ({ steps: [] })), /a path of 0 steps/],
  [
    'a path begins elsewhere',
    inRow(2, (row) => ({ steps: row.steps.slice(1) })),
    /does not lead from the case/,
  ],
  [
    'a step names no contact',
    inRow(0, () => ({ steps: [{ contact: 9, supports: [] }] })),
    /names contact 9, which is not there/,
  ],
  [
    'somebody was reached before the window',
    inRow(0, () => ({ earliestAt: request.from - 1 })),
    /at a time that its path rules out/,
  ],
  [
    'somebody was reached after the path',
    inRow(0, (row) => ({ earliestAt: row.earliestAt + 1 })),
    /at a time that its path rules out/,
  ],
  [
    'a score is below what the path gives',
    inRow(1, () => ({ score: 0.0001 })),
    /the score of person 1 is below/,
  ],
  ['it lists sources', ({ reached }) => ({ sources: reached }), /sources, which were not asked for/],
  ['the issuer is another', () => ({ issuerPublicKey: gateway.publicKey }), /^issuer: report 0, entry 3/],
];

describe('a tracer that signs what is not so is refused', () => {
  it.each(LIES)('when %s', async (_what, lie, words) => {
    const { evidence } = await evidenceOf(await recordingTracer(ward()));
    const forged = signedAgain(evidence, lie(decodeEvidence(evidence)));
    expect(forged).not.toEqual(evidence);
    expect(refusalOf(forged)).toMatch(words);
  });

  it('when a report is one of another trace, or one that nothing cites', async () => {
    const tracer = await recordingTracer(ward());
    const { evidence } = await evidenceOf(tracer, {}, ['2']);
    const { evidence: other } = await evidenceOf(tracer, { case: '5' });
    const [mine, theirs] = [decodeEvidence(evidence), decodeEvidence(other)];
    const [foreign] = theirs.reports;
    if (foreign === undefined) throw new Error('the other trace cites a report');
    expect(mine.reports.map(({ index }) => index)).toEqual([3, 5]);
    expect(foreign.index).toBe(4);
    // Its proof is under a later checkpoint, so that it is taken with that one, and the look with it.
    const { checkpoint, access } = theirs;
    const names = [...mine.names, ...theirs.names].sort((x, y) => Buffer.compare(x.ephId, y.ephId));
    const swap = signedAgain(evidence, { reports: [foreign, ...mine.reports.slice(1)] });
    expect(refusalOf(swap)).toMatch(/^proof: report 0, entry 4/);
    const whole = signedAgain(other, { reports: [...theirs.reports, ...mine.reports.slice(1)], names });
    expect(refusalOf(whole)).toMatch(/^proof: report 1, entry 5/);
    const moved = signedAgain(evidence, { checkpoint, access });
    expect(refusalOf(moved)).toMatch(/^proof: report 0, entry 3/);
  });

  it('when the path of a trace both ways begins at a source that is not in it', async () => {
    const { evidence } = await evidenceOf(await recordingTracer(ward()), { direction: 'both', case: '2' });
    const { sources, reached } = decodeEvidence(evidence);
    expect(reached).toHaveLength(1);
    const [first] = sources;
    expect(refusalOf(signedAgain(evidence, { sources: first ? [first] : [] }))).toMatch(
      /not used|or from a source in the bundle/,
    );
    expect(refusalOf(signedAgain(evidence, { reached: [...reached, ...sources] }))).toMatch(
      /comes back to where it began|does not lead/,
    );
  });

  it('when it shows more people than were answered', async () => {
    const day = dayOf(NOON);
    const dayKeys = keysOf([day]);
    const log = pair();
    const next = NOON + 86_400;
    log.append(reportOf({ tag: 3, records: [recordOf(2, next, 900)], at: next + 7_200 }));
    const tracer = await recordingTracer(log, { dayKeys });
    const asked = { to: NOON + 2 * 86_400 };
    const before = await evidenceOf(tracer, asked);
    dayKeys.days = [day, day + 1];
    await tracer.catchUp();
    const { evidence, result } = await evidenceOf(tracer, asked);
    expect([before.result.reached.length, result.reached.length]).toEqual([1, 2]);

    const checkpoint = openCheckpoint(log.checkpoint(), logKey);
    const [proven] = await provenEntries(log.reader(), checkpoint, [before.accessIndex]);
    const access = { ...decodeEvidence(before.evidence).access, proof: proven?.proof ?? [] };
    expect(refusalOf(signedAgain(evidence, { access }))).toBe(
      'evidence: it shows 2 people, and the recorded answer had 1',
    );
  });
});
