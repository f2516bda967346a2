/** The contacts of a bundle, merged anew from the records it cites, as the tracer merges them (protocol.md §6, tracing.md). */
import type { EvidenceBundle } from '../../protocol/evidence/bundle.js';
import type { CitedRecord } from '../../protocol/evidence/logged.js';
import { epochOf } from '../../protocol/time.js';
import { proofsInPlace } from '../records/beacon-proof.js';
import type { Contact } from '../contact.js';
import { contactOfTestimonies } from '../contacts/live-contact.js';
import type { NameBook } from './names.js';
import { inPlace, requireAllUsed, requireEvidence } from './refusal.js';
import type { CitedReport } from './reports.js';
import { testimonyOf } from '../records/testimony.js';
import type { Testimony } from '../records/testimony.js';

/** Throws `evidence` for records that make no single contact, are cited twice or out of order, and for reports nobody cites. */
export function openContacts(
  { contacts: cited, sampleHoldSeconds }: EvidenceBundle,
  reports: readonly CitedReport[],
  names: NameBook,
): Contact[] {
  requireOrder(cited);
  const meetings = new Set<string>();
  const contacts = cited.map((records, place) =>
    inPlace(`contact ${place}`, () => {
      const told = records.map((record) => testimonyIn(reports, record, names, sampleHoldSeconds));
      const contact = mergedOf(told);
      const meeting = `${contact.epoch}/${contact.a}/${contact.b}`;
      requireEvidence(!meetings.has(meeting), 'another contact of the bundle is of the same two and epoch');
      meetings.add(meeting);
      return contact;
    }),
  );
  requireAllUsed(reports.length, new Set(cited.flat().map(({ report }) => report)), 'report');
  return contacts;
}

/** By first record; each record in one place only. */
function requireOrder(cited: readonly (readonly CitedRecord[])[]): void {
  const isBefore = (one: CitedRecord, other: CitedRecord): boolean =>
    one.report < other.report || (one.report === other.report && one.record < other.record);
  const seen = new Set<string>();
  cited.forEach((records, place) => {
    const [first] = records;
    const [before] = cited[place - 1] ?? [];
    requireEvidence(first !== undefined, `contact ${place} of the bundle rests on nothing`);
    requireEvidence(before === undefined || isBefore(before, first), `contact ${place} is out of order`);
    records.forEach((record, k) => {
      const previous = records[k - 1];
      const inOrder = previous === undefined || isBefore(previous, record);
      requireEvidence(inOrder, `the records of contact ${place} are out of order`);
      seen.add(`${record.report}/${record.record}`);
    });
  });
  requireEvidence(seen.size === cited.flat().length, 'a record is cited for two contacts');
}

function testimonyIn(
  reports: readonly CitedReport[],
  { report: place, record: recordPlace, beacons }: CitedRecord,
  names: NameBook,
  sampleHoldSeconds: number,
): Testimony {
  const report = reports[place];
  const record = report?.plaintext.records[recordPlace];
  requireEvidence(report !== undefined && record !== undefined, 'it cites a record that is not there');
  const peer = names.nameOf(record.peerEphId);
  requireEvidence(peer.tag !== report.reporter, 'a tag that heard itself');
  requireEvidence(
    Math.abs(peer.epoch - epochOf(record.start)) <= 1,
    'an ephemeral ID that was heard outside its epoch',
  );
  requireEvidence(
    beacons <= proofsInPlace(record),
    'a beacon is said to prove a record in which it is out of place',
  );
  const { reporter, index: ledgerIndex } = report;
  return testimonyOf(record, { reporter, peer, beacons, sampleHoldSeconds, ledgerIndex });
}

function mergedOf(told: readonly Testimony[]): Contact {
  const contact = contactOfTestimonies(told);
  requireEvidence(contact !== undefined, 'its records are of different people or epochs');
  return contact;
}
