/**
 * The sample journal as one file an epoch, `heard-<epoch>.log`, in a tag's folder:
 *
 *     entry (40)  atMs u64 || hasRssi u8 || rssi i8 dBm || txPower i8 dBm || ephId 16 || mac 6 || zeros 3 || crc32 u32
 *
 * Entries are written through to the system at once: a killed process loses none. They are not synced one by one; losing
 * power loses the samples of the last moments, which the hold of the next sample mostly bridges. An entry that the disk
 * takes only in part is taken out again, so that those after it keep their places; one that reads back spoilt is passed
 * over and counted. A file ends at 32 MiB, more than 700 beacons a second for an epoch; what comes after is counted but not
 * noted.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter } from '../../protocol/bytes.js';
import type { Sample } from './open-record.js';
import type { SampleJournal } from './sample-journal.js';
import { writeWhole } from './write-whole.js';

const ENTRY_BYTES = 40;
const CRC_AT = ENTRY_BYTES - 4;
const MAX_FILE_BYTES = 32 * 1024 * 1024;
/** Of the present epoch, and of the one before while its records are still open. */
const MAX_OPEN_FILES = 2;
const NAME = /^heard-(\d+)\.log$/;

interface OpenFile {
  readonly fd: number;
  /** Of whole entries. */
  bytes: number;
  /** More than these may be in the file. */
  isTorn: boolean;
}

export function openFileJournal(folder: string): SampleJournal {
  const files = new Map<number, OpenFile>();
  const pathOf = (epoch: number): string => join(folder, `heard-${epoch}.log`);

  function fileOf(epoch: number): OpenFile {
    const known = files.get(epoch);
    if (known !== undefined) return known;
    const [oldest] = files.keys();
    if (files.size >= MAX_OPEN_FILES && oldest !== undefined) release(oldest);
    const made = openForNotes(pathOf(epoch));
    files.set(epoch, made);
    return made;
  }

  function release(epoch: number): void {
    const file = files.get(epoch);
    files.delete(epoch); // first: what failed to close has no number any more
    if (file !== undefined) closeSync(file.fd);
  }

  let spoilt = 0;

  return {
    append: (epoch, sample) => {
      const file = fileOf(epoch);
      if (file.bytes + ENTRY_BYTES <= MAX_FILE_BYTES) appendEntry(file, encodeEntry(sample));
    },
    samples: () => {
      const read = epochsIn(folder).map((epoch) => decodeEntries(readFileSync(pathOf(epoch))));
      spoilt = read.reduce((sum, file) => sum + file.spoilt, 0);
      return read.flatMap(({ samples }) => samples);
    },
    get spoilt() {
      return spoilt;
    },
    epochs: () => epochsIn(folder),
    forget: (epoch) => {
      release(epoch);
      rmSync(pathOf(epoch), { force: true });
    },
    close: () => [...files.keys()].forEach(release),
  };
}

/** What a kill or a full disk left at its end may be part of an entry. */
function openForNotes(path: string): OpenFile {
  const fd = openSync(path, 'a', 0o600);
  const { size } = fstatSync(fd);
  const bytes = size - (size % ENTRY_BYTES);
  return { fd, bytes, isTorn: bytes < size };
}

/** A torn entry is cut off before the next one: it would put all later ones out of step. */
function appendEntry(file: OpenFile, entry: Uint8Array): void {
  if (file.isTorn) ftruncateSync(file.fd, file.bytes);
  file.isTorn = true;
  writeWhole(file.fd, entry);
  file.isTorn = false;
  file.bytes += entry.length;
}

function epochsIn(folder: string): number[] {
  const epochs = readdirSync(folder).flatMap((name) => NAME.exec(name)?.[1] ?? []);
  return epochs.map(Number).sort((a, b) => a - b);
}

function encodeEntry(sample: Sample): Uint8Array {
  const entry = new ByteWriter(ENTRY_BYTES)
    .u64(sample.atMs)
    .u8(sample.rssiDbm === undefined ? 0 : 1)
    .i8(sample.rssiDbm ?? 0)
    .i8(sample.txPowerDbm)
    .bytes(sample.ephId)
    .bytes(sample.mac)
    .bytes(new Uint8Array(3))
    .u32(0)
    .finish();
  new DataView(entry.buffer).setUint32(CRC_AT, crc32(entry.subarray(0, CRC_AT)));
  return entry;
}

/** Every sound entry, and how many are not; the checksum comes before any of the rest. */
function decodeEntries(bytes: Uint8Array): { readonly samples: readonly Sample[]; readonly spoilt: number } {
  const samples: Sample[] = [];
  let spoilt = bytes.length % ENTRY_BYTES === 0 ? 0 : 1;
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    const entry = bytes.subarray(at, at + ENTRY_BYTES);
    if (isSound(entry)) samples.push(decodeEntry(entry));
    else spoilt += 1;
  }
  return { samples, spoilt };
}

function isSound(entry: Uint8Array): boolean {
  const view = new DataView(entry.buffer, entry.byteOffset);
  return view.getUint32(CRC_AT) === crc32(entry.subarray(0, CRC_AT));
}

function decodeEntry(entry: Uint8Array): Sample {
  const reader = new ByteReader(entry, 'entry of a sample journal');
  const head = { atMs: reader.u64() };
  const hasRssi = reader.u8() === 1;
  const rssi = reader.i8();
  const beacon = { txPowerDbm: reader.i8(), ephId: reader.take(16), mac: reader.take(6) };
  return { ...head, ...beacon, rssiDbm: hasRssi ? rssi : undefined };
}
