/** What a ledger holds, each report opened with the day keys of its folder: an auditor with all keys. */
import type { Config } from '../../cli/folder/config.js';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import type { DataFolder } from '../../cli/folder/folder.js';
import { logVerifier } from '../../cli/parts/ledger.js';
import { toHex } from '../../protocol/bytes.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { decodeEntry, ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import type { LedgerEntry } from '../../protocol/tlog/entry.js';
import type { DayKeys } from '../../protocol/keys.js';
import { bytesOf, type LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { openReport } from '../../protocol/tag/report-open.js';
import type { DayKeysOf } from '../../protocol/tag/report-open.js';
import type { ReportPlaintext } from '../../protocol/tag/report-plaintext.js';
import { decodeReport, reportHash } from '../../protocol/tag/report.js';
import { entriesOf, TILE_WIDTH, tileWidthAt } from '../../protocol/tlog/tile.js';
import { resolvePeer } from '../../tracer/records/peer.js';

export interface LoggedEntry extends LedgerEntry {
  readonly index: number;
}

export interface LoggedReport {
  readonly index: number;
  /** H(report), hex. */
  readonly hash: string;
  readonly tag: number;
  readonly plaintext: ReportPlaintext;
  /** The tags it tells of. */
  readonly peers: ReadonlySet<number>;
}

export async function loggedEntries(reader: LedgerReader, config: Config): Promise<LoggedEntry[]> {
  const { size } = openCheckpoint(await reader.checkpoint(), logVerifier(config));
  const entries: LoggedEntry[] = [];
  for (let bundle = 0; bundle * TILE_WIDTH < size; bundle += 1) {
    const width = tileWidthAt(0, bundle, size);
    const encoded = entriesOf(await reader.entryBundle(bundle, width), width);
    for (const bytes of encoded) entries.push({ index: entries.length, ...decodeEntry(bytes) });
  }
  return entries;
}

/** Throws when a payload is missing or cannot be opened: each has to be. */
export async function openLoggedReports(
  reader: LedgerReader,
  entries: readonly LoggedEntry[],
  dayKeysOf: DayKeysOf,
): Promise<LoggedReport[]> {
  const opened: LoggedReport[] = [];
  for (const entry of entries.filter(({ type }) => type === ENTRY_TYPE.tagReport)) {
    const [found] = await reader.payloads([entry.payloadSha256]);
    const payload = bytesOf(found);
    if (payload === undefined) throw new Error(`entry ${entry.index} has no payload`);
    const { tag, plaintext } = openReport(decodeReport(payload), dayKeysOf);
    const peers = plaintext.records.map(
      ({ peerEphId, start }) => resolvePeer(peerEphId, start, dayKeysOf)?.tag,
    );
    const known = new Set(peers.filter((peer) => peer !== undefined));
    opened.push({ index: entry.index, hash: toHex(reportHash(payload)), tag, plaintext, peers: known });
  }
  return opened;
}

export async function allDayKeys(folder: DataFolder): Promise<DayKeysOf> {
  const store = dayKeyFiles(folder.authority.dayKeys);
  const known = new Map<number, DayKeys>();
  for (const day of await store.list()) {
    const keys = await store.get(day);
    if (keys !== undefined) known.set(day, keys);
  }
  return (day) => known.get(day);
}
