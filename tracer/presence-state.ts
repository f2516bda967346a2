/**
 * The presence book as bytes, for the next life. Big-endian: count u32, then each run: tag u48 | gateway 16 | start u32 |
 * end u32; in order of gateway, so that gateways get the same order of numbers again.
 */
import { asTagNumber } from '../protocol/brands.js';
import { ByteReader, ByteWriter } from '../protocol/bytes.js';
import type { PresenceBook } from './presence/presence-book.js';

const RUN_BYTES = 30;

/** `tagOf`: of a person that the book knows by number. */
export function encodePresence(book: PresenceBook, tagOf: (person: number) => number): Uint8Array {
  const { days, gatewayIds } = book.snapshot();
  const runs = days.reduce((sum, { length }) => sum + length, 0);
  const writer = new ByteWriter(4 + RUN_BYTES * runs).u32(runs);
  const next = days.map(() => 0);
  gatewayIds.forEach((gatewayId, gateway) =>
    days.forEach((rows, k) => {
      for (let place = next[k] ?? 0; place < rows.length; place++, next[k] = place) {
        const row = rows.byGateway[place] ?? 0;
        if (rows.gateway[row] !== gateway) break;
        writer.u48(tagOf(rows.person[row] ?? 0)).bytes(gatewayId);
        writer.u32(rows.start[row] ?? 0).u32(rows.end[row] ?? 0);
      }
    }),
  );
  return writer.finish();
}

/** Into an empty book. Throws `format`. */
export function decodePresence(bytes: Uint8Array, book: PresenceBook): void {
  const reader = new ByteReader(bytes, 'the presence book');
  for (let runs = reader.u32(); runs > 0; runs--) {
    const [tag, gatewayId] = [asTagNumber(reader.u48()), reader.take(16)];
    book.add({ tag, gatewayId, start: reader.u32(), end: reader.u32() });
  }
  reader.end();
}
