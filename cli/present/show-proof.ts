/** What a proof shows, in lines for a person. */
import pc from 'picocolors';
import type { CheckedProof } from '../../ledger/proofs/check-proof.js';
import type { ProvenGrowth } from '../../ledger/proofs/prove-growth.js';
import { toHex } from '../../protocol/bytes.js';
import type { LedgerEntry } from '../../protocol/tlog/entry.js';
import { plain } from '../../protocol/plain-text.js';
import { count, counted } from './counts.js';
import { ENTRY_NAMES } from './entry-names.js';
import { cosignedLines } from './show-cosigners.js';

/** UTC, so that every party reads the same; the number itself where it is no time. */
function utc(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
}

const entryLines = ({ type, appendedAtMs, source, sourceSeq, payloadLength, payloadSha256 }: LedgerEntry) => [
  `  type      ${type}, ${ENTRY_NAMES[type] ?? 'of a later version'}`,
  `  appended  ${utc(appendedAtMs)}`,
  `  writer    ${toHex(source)}, batch ${sourceSeq}`,
  `  payload   ${counted(payloadLength, 'byte')} with SHA-256 ${toHex(payloadSha256)}`,
];

export function proofLines({
  index,
  leaf,
  entry,
  checkpoint,
  witnesses,
  unverifiedNames,
}: CheckedProof): string[] {
  const { origin, size, root } = checkpoint;
  return [
    `${pc.green('proved')} entry ${index} is in the log ${plain(origin)} of ${entries(size)}`,
    ...(entry ? entryLines(entry) : []),
    `  leaf hash ${toHex(leaf)}`,
    `  root      ${toHex(root)}`,
    ...cosignedLines(witnesses),
    ...(unverifiedNames.length > 0
      ? [`  signatures of others, not checked: ${plain(unverifiedNames.join(' '))}`]
      : []),
  ];
}

export function growthLines({ older, newer, witnesses, hashes }: ProvenGrowth): string[] {
  return [
    `${pc.green('consistent')} the log ${plain(newer.origin)} of ${entries(newer.size)} begins with the ${count(older.size)} it had before`,
    `  root then ${toHex(older.root)}`,
    `  root now  ${toHex(newer.root)}`,
    ...cosignedLines(witnesses),
    `  proved with ${counted(hashes.length, 'hash', 'hashes')}`,
  ];
}

const entries = (size: number): string => counted(size, 'entry', 'entries');
