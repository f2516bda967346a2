/**
 * The sample journal as one file an epoch, `heard-<epoch>.log`, in a tag's folder:
 *
 *     entry (40)  atMs u64 || hasRssi u8 || rssi i8 dBm || txPower i8 dBm || ephId 16 || mac 6 || zeros 3 || crc32 u32
 *
 * Entries are written through to the system at once: a killed process loses none. They are not synced one by one; losing
 * power loses the samples of the last moments, which the hold of the next sample mostly bridges. A file ends at 32 MiB,
 * more than 700 beacons a second for an epoch; what comes after is counted but not noted.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter } from '../protocol/bytes.js';
import type { Sample } from './open-record.js';
import type { SampleJournal } from './sample-journal.js';

const ENTRY_BYTES = 40;
const CRC_AT = ENTRY_BYTES - 4;
const MAX_FILE_BYTES = 32 * 1024 * 1024;
const NAME = /^heard-(\d+)\.log$/;

interface OpenFile {
  readonly fd: number;
  bytes: number;
}

export function openFileJournal(folder: string): SampleJournal {
  const files = new Map<number, OpenFile>();
  const pathOf = (epoch: number): string => join(folder, `heard-${epoch}.log`);

  function fileOf(epoch: number): OpenFile {
    const known = files.get(epoch);
    if (known !== undefined) return known;
    const fd = openSync(pathOf(epoch), 'a', 0o600);
    const bytes = fstatSync(fd).size;
    const whole = bytes - (bytes % ENTRY_BYTES); // an entry torn at the end would put all later ones out of step
    if (whole < bytes) ftruncateSync(fd, whole);
    const made = { fd, bytes: whole };
    files.set(epoch, made);
    return made;
  }

  function release(epoch: number): void {
    const file = files.get(epoch);
    if (file !== undefined) closeSync(file.fd);
    files.delete(epoch);
  }

  return {
    append: (epoch, sample) => {
      const file = fileOf(epoch);
      if (file.bytes + ENTRY_BYTES > MAX_FILE_BYTES) return;
      file.bytes += writeSync(file.fd, encodeEntry(sample));
    },
    samples: () => epochsIn(folder).flatMap((epoch) => decodeEntries(readFileSync(pathOf(epoch)))),
    forget: (epoch) => {
      release(epoch);
      rmSync(pathOf(epoch), { force: true });
    },
    close: () => [...files.keys()].forEach(release),
  };
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

/** Every sound entry; one torn by a crash is passed over. */
function decodeEntries(bytes: Uint8Array): Sample[] {
  const samples: Sample[] = [];
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    const reader = new ByteReader(bytes.subarray(at, at + ENTRY_BYTES), 'entry of a sample journal');
    const head = { atMs: reader.u64() };
    const hasRssi = reader.u8() === 1;
    const rssi = reader.i8();
    const beacon = { txPowerDbm: reader.i8(), ephId: reader.take(16), mac: reader.take(6) };
    reader.take(3);
    if (reader.u32() !== crc32(bytes.subarray(at, at + CRC_AT))) continue;
    samples.push({ ...head, ...beacon, rssiDbm: hasRssi ? rssi : undefined });
  }
  return samples;
}
