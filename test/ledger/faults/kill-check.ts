/** Holds the folder of a killed ledger against what it had acknowledged before. */
import { openLedger, type Ledger } from '../../../ledger/ledger.js';
import { decodeBatch } from '../../../protocol/mqtt/batch.js';
import { toHex } from '../../../protocol/bytes.js';
import { decodeEntry, ENTRY_TYPE, type LedgerEntry } from '../../../protocol/tlog/entry.js';
import { asError } from '../../../protocol/errors.js';
import { sha256 } from '../../../protocol/crypto/hash.js';
import { entriesOf, TILE_WIDTH, tileWidthAt } from '../../../protocol/tlog/tile.js';
import { openReceipt } from '../deployment.js';
import type { Told } from './kill-rounds.js';
import { loadDeps, type Load } from './load.js';
import { requireSound } from './sound.js';

export interface Verdict {
  readonly entries: number;
  /** Acknowledged, and not in the log where the receipt says, or answered with another receipt now. */
  readonly lost: readonly string[];
  /** Batches and reports that are in the log more than once, or in part. */
  readonly twice: readonly string[];
  readonly unsound: readonly string[];
}

export interface Acknowledged {
  readonly told: readonly Told[];
  /** Those to be sent again. */
  readonly again: readonly Told[];
}

async function entriesIn(ledger: Ledger): Promise<LedgerEntry[]> {
  const { size } = ledger.status();
  const reader = ledger.reader();
  const entries: LedgerEntry[] = [];
  for (let bundle = 0; bundle * TILE_WIDTH < size; bundle++) {
    const width = tileWidthAt(0, bundle, size);
    entries.push(...entriesOf(await reader.entryBundle(bundle, width), width).map(decodeEntry));
  }
  return entries;
}

function lostOf(load: Load, entries: readonly LedgerEntry[], told: readonly Told[]): string[] {
  return told.filter((one) => !isThere(load, entries, one)).map(({ writer, seq }) => `${writer}/${seq}`);
}

/** Each item stands where the receipt says. */
function isThere(
  { writers }: Load,
  entries: readonly LedgerEntry[],
  { writer, seq, receipt }: Told,
): boolean {
  const batch = writers[writer]?.batch(seq);
  if (batch === undefined) return false;
  const { outcomes } = openReceipt(Buffer.from(receipt, 'base64'), batch);
  const { items } = decodeBatch(batch).batch;
  if (outcomes.length !== items.length) return false;
  return outcomes.every(({ reason, index }, i) => {
    const hash = entries[index ?? -1]?.payloadSha256;
    return reason === 0 && hash !== undefined && toHex(hash) === toHex(sha256(items[i]?.payload ?? hash));
  });
}

/** A report, or an entry of any other kind from the same batch, more often than once; appended at an earlier time. */
function twiceIn(entries: readonly LedgerEntry[]): string[] {
  const seen = new Set<string>();
  return entries.flatMap(({ type, source, sourceSeq, payloadSha256 }, index) => {
    const of = type === ENTRY_TYPE.tagReport ? 'report' : `${toHex(source)}/${sourceSeq}`;
    const name = `${of} ${toHex(payloadSha256)}`;
    if (seen.has(name)) return [`entry ${index}`];
    seen.add(name);
    return [];
  });
}

/** Batches of notices are in the log whole or not at all. */
function partsIn({ writers }: Load, entries: readonly LedgerEntry[]): string[] {
  const counts = new Map<string, { source: Uint8Array; seq: number; count: number }>();
  for (const { type, source, sourceSeq: seq } of entries) {
    if (type !== ENTRY_TYPE.notices) continue;
    const name = `${toHex(source)}/${seq}`;
    const found = counts.get(name) ?? { source, seq, count: 0 };
    counts.set(name, { ...found, count: found.count + 1 });
  }
  const bySource = new Map(
    writers.map((writer) => [toHex(decodeBatch(writer.batch(0)).batch.writerId), writer]),
  );
  return [...counts.values()].flatMap(({ source, seq, count }) => {
    const batch = bySource.get(toHex(source))?.batch(seq);
    if (batch !== undefined && decodeBatch(batch).batch.items.length === count) return [];
    return [`${count} entries of batch ${seq}`];
  });
}

function backwardsIn(entries: readonly LedgerEntry[]): string[] {
  return entries.flatMap(({ appendedAtMs }, i) =>
    appendedAtMs < (entries[i - 1]?.appendedAtMs ?? 0)
      ? [`entry ${i} is appended before the one before it`]
      : [],
  );
}

/** What was acknowledged gets the same receipt again, and nothing is appended for it. */
async function otherReceipts(ledger: Ledger, { writers }: Load, told: readonly Told[]): Promise<string[]> {
  const other: string[] = [];
  for (const { writer, seq, receipt } of told) {
    const batch = writers[writer]?.batch(seq) ?? new Uint8Array(0);
    const again = Buffer.from(await ledger.submit(batch)).toString('base64');
    if (again !== receipt) other.push(`another receipt for ${writer}/${seq}`);
  }
  return other;
}

/** Opens the ledger in `dir`, which is changed by that, and checks everything. Throws never. */
export async function checkCopy(dir: string, load: Load, { told, again }: Acknowledged): Promise<Verdict> {
  try {
    const ledger = await openLedger(loadDeps(dir));
    const entries = await entriesIn(ledger);
    const lost = [...lostOf(load, entries, told), ...(await otherReceipts(ledger, load, again))];
    const twice = [...twiceIn(entries), ...partsIn(load, entries)];
    const unsound = backwardsIn(entries);
    if (ledger.status().size !== entries.length)
      twice.push('entries appended for batches acknowledged before');
    await ledger.close();
    await requireSound(dir);
    return { entries: entries.length, lost, twice, unsound };
  } catch (error) {
    return { entries: 0, lost: [], twice: [], unsound: [asError(error).message] };
  }
}
