/** What does not add up, in lines for a person: what each kind means, where it stands in the ledger, what to do. Days are UTC. */
import pc from 'picocolors';
import type { DoubtsAnswer } from '../../tracer/api/doubts.js';
import { callOf } from '../terminal/how-called.js';
import { count, counted } from './counts.js';
import { dateOf } from './show-retention.js';

const NOTHING =
  'It all adds up: of days within retention there are no reports of a copied tag and no forged beacons.';

const CLONES = [
  'Two reports of one tag under one number say different things: it was copied, or set back to an older copy of its',
  'memory. The first named counts, the other is left out. Ask those who look after tags whether one was put back from a',
  'copy: enrol it anew. If none was, somebody else has its keys, and what is told in its name may be untrue.',
];

const FORGED = [
  'A record in a report, counted from 0, of beacons that no tag sent at that time: somebody replays or makes them up,',
  'whoever reported did, or one of the two clocks was minutes off. It is no contact. Where many came by one writer,',
  'look at the clocks there, and for what sends beacons around it.',
];

/** `dir`: the data folder, for the commands to type next. */
export function doubtLines({ clones, forgedBeacons }: DoubtsAnswer, dir: string): string[] {
  if (clones.kept === 0 && forgedBeacons.kept === 0) return [NOTHING];
  const pairs = clones.listed.map(({ day, ledger: [one, other] }) => `${dateOf(day)}  ${one} and ${other}`);
  const records = forgedBeacons.listed.map(
    ({ day, ledger: [entry], record }) => `${dateOf(day)}  ${entry}, record ${record}`,
  );
  return [
    ...shelfLines(
      clones,
      ['copied tags', counted(clones.kept, 'pair of reports', 'pairs of reports')],
      CLONES,
      pairs,
    ),
    ...shelfLines(forgedBeacons, ['forged beacons', counted(forgedBeacons.kept, 'record')], FORGED, records),
    ...nextLines(dir),
  ];
}

/** None where nothing of the kind is kept. */
function shelfLines(
  { kept, isFull }: DoubtsAnswer['clones' | 'forgedBeacons'],
  [name, many]: readonly [string, string],
  meaning: readonly string[],
  rows: readonly string[],
): string[] {
  if (kept === 0) return [];
  return [
    `${pc.bold(name)}  ${many}, by day and ledger entry`,
    ...meaning.map((line) => `  ${line}`),
    ...rows.map((row) => `    ${row}`),
    ...(rows.length < kept ? [`    … the newest ${count(rows.length)} of these ${count(kept)}`] : []),
    ...(isFull
      ? ['    what comes after these is counted only, by the tracer’s figures, until days leave retention']
      : []),
    '',
  ];
}

const nextLines = (dir: string): string[] => [
  'Nobody is named here: that would be a look at somebody, and is recorded. Of entry N:',
  `  ${callOf(`ledger prove --data-dir ${dir} --index N --out N.tlog-proof`)}    when it came and by which writer, proved`,
  `  ${callOf(`authority status --data-dir ${dir}`)}    which gateway that writer is`,
];
