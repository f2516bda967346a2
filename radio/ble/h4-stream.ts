/**
 * Cuts a byte stream into HCI packets (H4: Bluetooth Core, Vol 4, Part A). A controller sends events and ACL data; any other
 * type byte means that the stream is out of step, and there is no way to find the next packet.
 */
import { FirebreakError } from '../../protocol/errors.js';
import { PACKET_ACL, PACKET_EVENT } from './hci-packets.js';

export class H4Stream {
  #held: Buffer = Buffer.alloc(0);

  /** The packets completed by these bytes, each with its type byte. Throws `format` when out of step. Holds < 64 KiB. */
  push(chunk: Uint8Array): Buffer[] {
    this.#held = this.#held.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#held, chunk]);
    const packets: Buffer[] = [];
    for (
      let length = packetLength(this.#held);
      length <= this.#held.length;
      length = packetLength(this.#held)
    ) {
      packets.push(this.#held.subarray(0, length));
      this.#held = this.#held.subarray(length);
    }
    return packets;
  }
}

/** Length of the packet at the beginning, Infinity while its header is not there yet. */
function packetLength(bytes: Buffer): number {
  const type = bytes[0];
  if (type === undefined) return Infinity;
  if (type === PACKET_EVENT) return bytes.length < 3 ? Infinity : 3 + bytes.readUInt8(2);
  if (type === PACKET_ACL) return bytes.length < 5 ? Infinity : 5 + bytes.readUInt16LE(3);
  throw new FirebreakError(
    'format',
    `the controller sent a packet of type ${type}, which is none it may send`,
  );
}
