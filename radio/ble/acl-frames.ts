/**
 * Puts the ACL fragments a controller hands up together into whole L2CAP frames (Bluetooth Core, Vol 3, Part A, 7.2.1) and
 * lets only whole ones of a sensible size through: the libraries hold whatever a peer sends until it fits.
 */
import { PACKET_ACL } from './hci-packets.js';

/** A PDU of the attribute protocol: MTU 517 at most (opcode, handle, 512 bytes and an offset). */
const MAX_PDU_BYTES = 1_024;
export const CHANNEL_ATT = 0x0004;
/** L2CAP signalling, by which a peripheral asks for other connection parameters. */
const CHANNEL_SIGNALLING = 0x0005;
const CONTINUES = 0x01;
const BEGINS = 0x02;

export type AclOutcome =
  | { readonly kind: 'frame'; readonly handle: number; readonly channel: number; readonly pdu: Buffer }
  /** Not whole yet, or on a channel that nobody here uses. */
  | { readonly kind: 'nothing' }
  /** What the peer sends cannot be a frame: it should be disconnected. */
  | { readonly kind: 'nonsense'; readonly handle: number };

export class AclFrames {
  readonly #held = new Map<number, Buffer>();

  take(packet: Buffer): AclOutcome {
    if (packet.length < 5) return { kind: 'nothing' };
    const handle = packet.readUInt16LE(1) & 0x0fff;
    const isContinued = ((packet.readUInt16LE(1) >> 12) & 0x03) === CONTINUES;
    const before = this.#held.get(handle);
    this.#held.delete(handle);
    if (isContinued && before === undefined) return { kind: 'nothing' };
    const bytes = Buffer.concat([
      isContinued ? (before ?? Buffer.alloc(0)) : Buffer.alloc(0),
      packet.subarray(5),
    ]);
    return this.#judge(handle, bytes);
  }

  forget(handle: number): void {
    this.#held.delete(handle);
  }

  #judge(handle: number, bytes: Buffer): AclOutcome {
    if (bytes.length < 4) return { kind: 'nonsense', handle };
    const length = bytes.readUInt16LE(0);
    if (length === 0 || length > MAX_PDU_BYTES || bytes.length > 4 + length)
      return { kind: 'nonsense', handle };
    if (bytes.length < 4 + length) {
      this.#held.set(handle, bytes);
      return { kind: 'nothing' };
    }
    const channel = bytes.readUInt16LE(2);
    // Pairing (channel 6) is never asked for and never answered.
    if (channel !== CHANNEL_ATT && channel !== CHANNEL_SIGNALLING) return { kind: 'nothing' };
    return { kind: 'frame', handle, channel, pdu: bytes.subarray(4) };
  }
}

/** A frame as one ACL packet, as if the controller had handed it up whole. */
export function aclPacket(handle: number, channel: number, pdu: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUInt8(PACKET_ACL, 0);
  head.writeUInt16LE(handle | (BEGINS << 12), 1);
  head.writeUInt16LE(pdu.length + 4, 3);
  head.writeUInt16LE(pdu.length, 5);
  head.writeUInt16LE(channel, 7);
  return Buffer.concat([head, pdu]);
}
