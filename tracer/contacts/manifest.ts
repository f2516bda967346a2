/**
 * The one file that says what is in a store: which segments, which people, and how far in the ledger they
 * reach. It is replaced as a whole, so a store is always as some manifest has it; a file that it does not name
 * is none of the store's.
 */
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { FirebreakError } from '../../protocol/errors.js';

const FORMAT = 'firebreak contact store';
const VERSION = 5;
/**
 * Before version 5 the state of a tracer has the reports that are missing, which are parts now; in version 3 no
 * part is cold.
 */
const READABLE = [3, 4, VERSION];

const whole = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const u32 = whole.max(2 ** 32 - 1);

const segmentInfo = z.strictObject({
  id: u32.max(2 ** 31 - 2),
  /** Of contacts; each has two entries. */
  contacts: u32,
  /** The earliest start and the latest end of a contact, unix seconds. */
  baseSeconds: u32,
  lastSeconds: u32,
  /** The days (UTC) it is meant for: those its parts' last contacts began in. Late ones in it may be older. */
  firstDay: u32,
  lastDay: u32,
  people: u32,
  segmentBytes: whole,
  segmentChecksum: u32,
  evidenceBytes: whole,
  evidenceChecksum: u32,
});

/**
 * What the store's owner keeps under a name, beside its state: see kept-parts.ts. The checksum of a cold one is
 * that of its head.
 */
const partInfo = z.strictObject({
  name: z.string(),
  file: whole,
  bytes: whole,
  headBytes: whole.optional(),
  checksum: u32,
});

const manifest = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(READABLE),
  /** The ledger up to `size` is in the store. Up to version 4 there is a note, which nobody reads. */
  position: z
    .strictObject({ size: whole, note: z.string().exactOptional() })
    .transform(({ size }) => ({ size })),
  nextId: u32,
  people: z.strictObject({ file: whole, bytes: whole, count: u32 }),
  state: z.strictObject({ file: whole, bytes: whole, checksum: u32 }).nullable(),
  parts: z.array(partInfo),
  segments: z.array(segmentInfo),
});

export type PartInfo = Readonly<z.infer<typeof partInfo>>;
export type SegmentInfo = Readonly<z.infer<typeof segmentInfo>>;
export type Manifest = Readonly<z.infer<typeof manifest>>;
export type LedgerPosition = Manifest['position'];

export const EMPTY_MANIFEST: Manifest = {
  format: FORMAT,
  version: VERSION,
  position: { size: 0 },
  nextId: 1,
  people: { file: 0, bytes: 0, count: 0 },
  state: null,
  parts: [],
  segments: [],
};

/** JSON with a CRC-32 over the rest of it. */
export function encodeManifest(content: Manifest): Uint8Array {
  const checksum = crc32(JSON.stringify(content));
  return Buffer.from(`${JSON.stringify({ checksum, ...content }, undefined, 1)}\n`);
}

/**
 * Throws `damaged` for a manifest that was changed or cut short, `format` for one of another version: the
 * number goes up with the format of any file that a manifest names, so that a program that is older than a
 * folder stops here.
 */
export function decodeManifest(path: string, bytes: Uint8Array): Manifest {
  const { checksum, ...content } = fieldsOf(path, bytes);
  if (checksum !== crc32(JSON.stringify(content))) throw damagedManifest(path);
  const read = manifest.safeParse(content);
  if (read.success) return { ...read.data, version: VERSION };
  const problem = READABLE.some((version) => version === content['version'])
    ? z.prettifyError(read.error).replaceAll(/\s+/g, ' ')
    : `it is of version ${String(content['version'])}; this program reads ${VERSION}`;
  throw new FirebreakError('format', `${path} is not what this program writes: ${problem}`);
}

function fieldsOf(path: string, bytes: Uint8Array): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw damagedManifest(path, cause);
  }
}

const damagedManifest = (path: string, cause?: unknown): FirebreakError =>
  new FirebreakError(
    'damaged',
    `${path} was changed or cut short, so nobody can say what the contact store holds: remove its folder, and the ` +
      'contacts are read from the ledger again',
    { cause },
  );
