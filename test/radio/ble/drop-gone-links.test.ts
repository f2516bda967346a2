import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { dropPacketsOfGoneLinks } from '../../../radio/ble/drop-gone-links.js';
import { loadNoble } from '../../../radio/ble/stack.js';

/** Of noble's own, as far as it is used here. */
interface Hci {
  readonly _aclConnections: Map<number, { pending: number }>;
  _socket: { write(packet: Buffer): void };
  setAclBuffers(length: number, count: number): void;
  writeAclDataPkt(handle: number, cid: number, data: Buffer): Promise<void>;
  flushAcl(): Promise<void>;
}

class NoSocket extends EventEmitter {}

it('what noble has to say on a connection that is gone is dropped, and the rest is said', async () => {
  const noble = loadNoble('abandonware', NoSocket); // the maintained family looks for itself
  dropPacketsOfGoneLinks(noble);
  const hci = Reflect.get(Object(Reflect.get(noble, '_bindings')), '_hci') as Hci;
  const said: number[] = [];
  hci._socket = { write: (packet) => void said.push(packet.readUInt16LE(1) & 0xfff) };
  hci.setAclBuffers(27, 4);
  hci._aclConnections.set(7, { pending: 0 });
  for (const handle of [5, 7]) await hci.writeAclDataPkt(handle, 4, Buffer.alloc(3));
  await hci.flushAcl();
  expect(said).toEqual([7]);
});
