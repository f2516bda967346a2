/** What `firebreak ledger fsck` found, in lines. */
import pc from 'picocolors';
import type { Area, Finding, Findings } from '../../ledger/fsck/findings.js';
import type { FsckReport } from '../../ledger/fsck/fsck.js';
import { BEFORE_A_COPY } from '../../ledger/store/store-damage.js';
import { plain } from '../../protocol/plain-text.js';
import { count, counted } from './counts.js';
import { typeLine } from './entry-names.js';

const KINDS: Readonly<Record<Finding['kind'], string>> = {
  damage: pc.red('damaged'),
  interrupted: pc.yellow('cut short'),
  leftover: pc.yellow('left over'),
  unchecked: pc.yellow('not checked'),
};

const AREAS: Readonly<Record<Area, string>> = {
  files: 'files',
  rows: 'rows',
  state: 'state row',
  entries: 'entries',
  tiles: 'tiles',
  roots: 'roots',
  'payload index': 'payload index',
  payloads: 'payloads',
  batches: 'batch rows',
  gateways: 'gateway rows',
  days: 'day rows',
};

function placeOf({ file, offset, index }: Finding): string {
  if (index !== undefined) return `entry ${index} `;
  if (file === undefined) return '';
  return offset === undefined ? `${file} ` : `${file}, byte ${offset}: `;
}

const lineOf = (finding: Finding): string =>
  `  ${KINDS[finding.kind]}  ${AREAS[finding.area]}: ${plain(placeOf(finding) + finding.what)}`;

/** Findings in the order they were made, then how many more there are of each kind. */
export function findingLines({ findings }: FsckReport): string[] {
  const more = [...findings.dropped()].map(
    ([area, missing]) => `  … and ${count(missing)} more in ${AREAS[area]}`,
  );
  return [...findings.kept.map(lineOf), ...more];
}

/** The last line for a damaged ledger. */
export function damageSummary({ findings, counted }: FsckReport, dir: string): string {
  const { damageCount, firstBadIndex } = findings;
  const things = damageCount === 1 ? 'one thing is' : `${damageCount} things are`;
  const first =
    firstBadIndex === undefined ? 'no entry is named' : `the first entry concerned is ${firstBadIndex}`;
  const unread =
    counted === undefined ? '; the rows could not be read, so the log itself was not checked' : '';
  return `the ledger in ${dir} is damaged: ${things} wrong, and ${first}${unread}. ${whatToDo(findings)}`;
}

const whatToDo = ({ costsLog }: Findings): string =>
  costsLog
    ? `Leave the folder as it is. ${BEFORE_A_COPY}`
    : 'Nothing of the log is lost: do what is said above';

const UNCHECKED_COSIGNATURES =
  '  not all cosignatures were checked: give the --policy FILE that names who cosigned what is published';

/** The last lines for one that is not. */
export function cleanLines({ counted: seen }: FsckReport, origin: string, dir: string): string[] {
  if (seen === undefined) return [];
  const { size, entriesByType, batches, payloadsStored, payloadsPruned } = seen;
  const types = [...entriesByType].sort(([a], [b]) => a - b);
  const pruned = payloadsPruned > 0 ? `; ${counted(payloadsPruned, 'payload')} pruned, as the log says` : '';
  return [
    ...types.map(([type, entries]) => typeLine(type, entries)),
    ...(seen.gatewaysChecked ? [] : ['  what it says of gateways was not checked: give the --issuer KEY']),
    ...(seen.cosignaturesChecked ? [] : [UNCHECKED_COSIGNATURES]),
    `${pc.green('clean')}  ${counted(size, 'entry', 'entries')} of ${plain(origin)} in ${dir}: every file, entry, tile, root and counter holds, ` +
      `${counted(batches, 'answered batch', 'answered batches')} and ${counted(payloadsStored, 'stored payload')} among them${pruned}`,
  ];
}
