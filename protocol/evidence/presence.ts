/**
 * What an evidence bundle says of presence at gateways (evidence.md), where steps go by it:
 *
 *     presence      [[certificate, …], [presence report, …], [sighting, …], [co-presence, …]]
 *     certificate   proven: the entry that enrolled a gateway     presence report   logged     (logged.ts)
 *     sighting      record, of a presence report
 *     co-presence   [[place of a sighting, …], [place of a sighting, …]]
 *                   of the one and of the other, in order of time
 */
import type { CborReader, CborWriter } from '../cbor.js';
import { FirebreakError } from '../errors.js';
import {
  capacityOfProven,
  MAX_REPORTS,
  readEach,
  readLogged,
  readProven,
  readRecord,
  writeEach,
  writeLogged,
  writeProven,
  writeRecord,
} from './logged.js';
import type { CitedRecord, LoggedEvidence, ProvenEvidence } from './logged.js';

const MAX_SIGHTINGS = 65_536;
export const MAX_COPRESENCES = 65_536;
/** Somebody seen without a break for three weeks has two thousand. */
const MAX_SIGHTINGS_OF_STAY = 4_096;

/**
 * The places of the sightings that make up what is cited of each stay, in order of time; of the lower tag
 * number first.
 */
export type CitedCopresence = readonly [one: readonly number[], other: readonly number[]];

export interface EvidencePresence {
  /** By index. */
  readonly certificates: readonly ProvenEvidence[];
  /** Of gateways, by index. */
  readonly reports: readonly LoggedEvidence[];
  /** By report and place. */
  readonly sightings: readonly CitedRecord[];
  /** In order of their places. At least one. */
  readonly copresences: readonly CitedCopresence[];
}

/** What there is too much of for one bundle: how many, how many fit, of what. */
export type PresenceCount = readonly [count: number, max: number, what: string];

export function presenceCounts({
  certificates,
  reports,
  sightings,
  copresences,
}: EvidencePresence): PresenceCount[] {
  const longest = copresences.flat().reduce((most, { length }) => Math.max(most, length), 0);
  return [
    [certificates.length, MAX_REPORTS, 'certificates of gateways'],
    [reports.length, MAX_REPORTS, 'presence reports'],
    [sightings.length, MAX_SIGHTINGS, 'sightings'],
    [copresences.length, MAX_COPRESENCES, 'meetings at gateways'],
    [longest, MAX_SIGHTINGS_OF_STAY, 'sightings of one stay'],
  ];
}

/** Bytes it takes at most. */
export function capacityOfPresence({
  certificates,
  reports,
  sightings,
  copresences,
}: EvidencePresence): number {
  const proven = [...certificates, ...reports].reduce((sum, one) => sum + capacityOfProven(one), 64);
  const places = copresences.reduce((sum, [one, other]) => sum + 32 + 9 * (one.length + other.length), 0);
  return proven + 28 * sightings.length + places;
}

export function writePresence(writer: CborWriter, presence: EvidencePresence): void {
  writer.array(4);
  writeEach(writer, presence.certificates, writeProven);
  writeEach(writer, presence.reports, writeLogged);
  writeEach(writer, presence.sightings, writeRecord);
  writeEach(writer, presence.copresences, (_, sides) =>
    writeEach(writer, sides, (__, places) =>
      writeEach(writer, places, (___, place) => void writer.uint(place)),
    ),
  );
}

/** Throws `format`, also where nothing goes by presence: such a bundle is of the first version. */
export function readPresence(reader: CborReader): EvidencePresence {
  reader.array({ length: 4 });
  const presence = {
    certificates: readEach(reader, MAX_REPORTS, readProven),
    reports: readEach(reader, MAX_REPORTS, readLogged),
    sightings: readEach(reader, MAX_SIGHTINGS, readRecord),
    copresences: readEach(reader, MAX_COPRESENCES, readCopresence),
  };
  if (presence.copresences.length > 0) return presence;
  throw new FirebreakError('format', 'evidence bundle: one that shows no presence is of the first version');
}

function readCopresence(reader: CborReader): CitedCopresence {
  reader.array({ length: 2 });
  const side = (): number[] => readEach(reader, MAX_SIGHTINGS_OF_STAY, () => reader.uint(MAX_SIGHTINGS - 1));
  return [side(), side()];
}
