/**
 * Key layout of the ledger's level store; every number is big-endian, so that keys sort as numbers.
 *
 *     f                              what the folder is: format version, origin, log key
 *     s                              the state after the last group commit (store-state.ts)
 *     e | first index u48            entries of one commit within one bundle (store-segments.ts)
 *     t | level u8 | index u48       tile hashes; every full tile, and the right edge of levels 1 and up
 *     b | writerId 16 | seq u48      a batch that was answered, and how (store-rows.ts)
 *     h | bucket u16 | number u32    payloads by their hash (payload-buckets.ts)
 *     i | number u32                 filters of the payload index, and where it had come with each (payload-parts.ts)
 *     j                              where it had come with all of them, in older folders
 *     g | gatewayId 16               what the issuer said about a gateway
 *     p | day u32 | first index u48  where payloads of one day are in its file (store-payloads.ts)
 *     x | day u32                    how much was stored for a day, and what the issuer said of it (day-record.ts)
 */
const INDEX_BYTES = 6;

export const FORMAT_KEY: Uint8Array = Buffer.from('f');
export const STATE_KEY: Uint8Array = Buffer.from('s');
/** Day of payloads that no retention window ends: certificates, statements, commitments. Sorts last. */
export const KEPT_DAY = 0xffff_ffff;

function indexed(prefix: string, head: Uint8Array, index: number): Uint8Array {
  const key = Buffer.allocUnsafe(1 + head.length + INDEX_BYTES);
  key.write(prefix, 0, 'latin1');
  key.set(head, 1);
  key.writeUIntBE(index, 1 + head.length, INDEX_BYTES);
  return key;
}

function named(prefix: string, name: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(prefix, 'latin1'), name]);
}

const NOTHING = new Uint8Array(0);

export const segmentKey = (firstIndex: number): Uint8Array => indexed('e', NOTHING, firstIndex);
export const isSegmentKey = (key: Uint8Array): boolean => key[0] === 'e'.charCodeAt(0);
export const tileKey = (level: number, index: number): Uint8Array =>
  indexed('t', Uint8Array.of(level), index);
export const batchKey = (writerId: Uint8Array, seq: number): Uint8Array => indexed('b', writerId, seq);
export const gatewayKey = (gatewayId: Uint8Array): Uint8Array => named('g', gatewayId);

function dayBytes(day: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(day);
  return bytes;
}

const BUCKET_KEY_BYTES = 7;

export function bucketKey(bucket: number, number: number): Uint8Array {
  const key = Buffer.allocUnsafe(BUCKET_KEY_BYTES);
  key.write('h', 0, 'latin1');
  key.writeUInt16BE(bucket, 1);
  key.writeUInt32BE(number, 3);
  return key;
}

export const OLD_INDEX_KEY: Uint8Array = Buffer.from('j');

export function filterKey(number: number): Uint8Array {
  const key = Buffer.allocUnsafe(5);
  key.write('i', 0, 'latin1');
  key.writeUInt32BE(number, 1);
  return key;
}

/** The filters of the payload index, in order. */
export const FILTER_RANGE = { gte: Buffer.from('i'), lt: Buffer.from('j') } as const;

export const payloadKey = (day: number, firstIndex: number): Uint8Array =>
  indexed('p', dayBytes(day), firstIndex);
export const isPayloadKey = (key: Uint8Array): boolean => key[0] === 'p'.charCodeAt(0);
export const dayKey = (day: number): Uint8Array => named('x', dayBytes(day));

/** The day of a {@link dayKey} or of a {@link payloadKey}. */
export const dayOfKey = (key: Uint8Array): number => Buffer.from(key).readUInt32BE(1);

/** Range of all payloads of a day. */
export const payloadRange = (day: number) =>
  ({ gte: payloadKey(day, 0), lte: payloadKey(day, 2 ** 48 - 1) }) as const;

/** The index a key ends in. */
export function indexOfKey(key: Uint8Array): number {
  return Buffer.from(key).readUIntBE(key.length - INDEX_BYTES, INDEX_BYTES);
}

/** All batches of a writer, in the order of their sequence numbers. */
export const batchRange = (writerId: Uint8Array): { readonly gte: Uint8Array; readonly lte: Uint8Array } => ({
  gte: batchKey(writerId, 0),
  lte: batchKey(writerId, 2 ** 48 - 1),
});

/** Range of all gateway rows, for reading the registry at start. */
export const GATEWAY_RANGE = { gte: Buffer.from('g'), lt: Buffer.from('h') } as const;

/** Range of all day rows. */
export const DAY_RANGE = { gte: Buffer.from('x'), lt: Buffer.from('y') } as const;
