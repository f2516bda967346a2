/** What happened on the way, stage by stage, in a few lines a person can check. */
import pc from 'picocolors';
import type { ContactRecording } from '../../firmware-sim/recorded/contact-recording.js';
import { toHex } from '../../protocol/bytes.js';
import { entryName } from '../present/entry-names.js';
import { localTime } from '../terminal/times.js';
import type { TracerStatus } from '../../tracer/intake/ledger-reading.js';
import type { PathOutcome } from './path.js';

const number = new Intl.NumberFormat('en-GB');
const n = (value: number): string => number.format(value);

export function recordingLine(
  { persons, lines, startMs, endMs, duplicates, selfContacts }: ContactRecording,
  source: string,
): string {
  const skipped = [
    ...(duplicates > 0 ? [`${n(duplicates)} repeated lines`] : []),
    ...(selfContacts > 0 ? [`${n(selfContacts)} lines of a person alone`] : []),
  ];
  const span = `${localTime(startMs / 1000)} to ${localTime(endMs / 1000, true)}`;
  const note = skipped.length > 0 ? ` (skipped ${skipped.join(' and ')})` : '';
  return `${n(persons.length)} people, ${n(lines)} lines of contact from ${source}, ${span}${note}`;
}

export function stageLines(outcome: PathOutcome): string {
  const { fleet, gateway, ledger, checkpoint, stageMs } = outcome;
  const tracer = outcome.tracer.status();
  const types = [...ledger.counters.entriesByType].sort(([a], [b]) => a - b);
  const entries = types.map(([type, count]) => `${n(count)} ${entryName(type, count)}`).join(', ');
  return [
    stage(
      'tags',
      stageMs.tags,
      `${n(fleet.tags)} tags heard ${n(fleet.sightings)} beacons and logged ${n(fleet.records)} encounters`,
    ),
    more(
      `${n(fleet.reports)} sealed reports over ${n(fleet.sessions)} gateway sessions${lost(fleet.dropped + fleet.undelivered)}`,
    ),
    stage(
      'gateway',
      undefined,
      `${n(gateway.reportsAccepted)} reports checked, receipted and put on disk${refused(gateway.reportsRefused)}`,
    ),
    stage('ledger', stageMs.delivery, `${n(ledger.size)} entries, each receipted: ${entries}`),
    stage('log', undefined, `${n(checkpoint.size)} entries verified against ${checkpoint.origin}`),
    more(`root ${toHex(checkpoint.root)}`),
    stage('tracer', stageMs.reading, `${n(tracer.counts.opened)} reports opened${refusedOnOpening(tracer)}`),
    more(
      `${n(tracer.contacts)} contacts of ${n(tracer.people)} people, ${n(tracer.mutual)} seen by both sides${forged(tracer.counts.forged)}`,
    ),
  ].join('\n');
}

function stage(name: string, ms: number | undefined, text: string): string {
  return `${pc.cyan(name.padEnd(9))}${text}${ms === undefined ? '' : pc.dim(`  ${(ms / 1000).toFixed(1)} s`)}`;
}

const more = (text: string): string => `${' '.repeat(9)}${text}`;
const lost = (records: number): string =>
  records > 0 ? `, ${n(records)} encounters lost` : ', nothing lost';

function refused(reasons: Readonly<Record<string, number | undefined>>): string {
  const told = Object.entries(reasons).map(([reason, count]) => `${n(count ?? 0)} for ${reason}`);
  return told.length > 0 ? `; refused ${told.join(', ')}` : ', none refused';
}

function refusedOnOpening({ counts }: TracerStatus): string {
  const told = [...counts.refused].map(([reason, count]) => `${n(count)} for ${reason}`);
  return told.length > 0 ? `; set aside ${told.join(', ')}` : ', none set aside';
}

const forged = (count: number): string =>
  count > 0 ? `; ${n(count)} records with forged beacons set apart` : '';
