/**
 * A Bluetooth controller on the emulator that connects and then writes whatever it likes into the connection: a peer that
 * keeps no rule. Bytes from Bluetooth Core 5.3, Vol 4, Part E; no code of radio/ble.
 */
import { connect } from 'node:net';

export interface Attacker {
  /** Connects to a random address; the handle. Throws when nobody took the connection. */
  connect(address: string): Promise<number>;
  /** One ACL packet, its flags (2 begins a frame, 1 goes on with it) and bytes as given. */
  acl(handle: number, flags: number, bytes: Uint8Array): void;
  /** A PDU of the attribute protocol, framed as it should be. */
  att(handle: number, pdu: Uint8Array): void;
  /** One connectable advert from that random address. The emulator wants a pause between a few dozen of them. */
  advertise(address: string, data: Uint8Array): void;
  /** ATT PDUs that came. */
  readonly answers: readonly Buffer[];
  /** Resolves when the other side ended that connection; throws when it does not. */
  ended(handle: number): Promise<void>;
  close(): void;
}

const PATIENCE_MS = 8_000;

export async function openAttacker(socketPath: string, ownAddress: string): Promise<Attacker> {
  const socket = connect(socketPath);
  const events: Buffer[] = [];
  const answers: Buffer[] = [];
  let held = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    for (let end = endOfPacket(held); end !== undefined && end <= held.length; end = endOfPacket(held)) {
      const packet = held.subarray(0, end);
      if (packet[0] === 0x02) answers.push(Buffer.from(packet.subarray(9)));
      else events.push(Buffer.from(packet));
      held = held.subarray(end);
    }
  });
  const command = (hex: string): void => void socket.write(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  const event = async (isIt: (packet: Buffer) => boolean): Promise<Buffer> => {
    for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += 5) {
      const found = events.findIndex(isIt);
      if (found >= 0) return events.splice(found, 1)[0] ?? Buffer.alloc(0);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error('the controller did not say what was waited for');
  };
  const acl = (handle: number, flags: number, bytes: Uint8Array): void => {
    const head = Buffer.from([2, 0, 0, 0, 0]);
    head.writeUInt16LE(handle | (flags << 12), 1);
    head.writeUInt16LE(bytes.length, 3);
    socket.write(Buffer.concat([head, bytes]));
  };
  const att = (handle: number, pdu: Uint8Array): void =>
    acl(handle, 2, Buffer.from([pdu.length & 0xff, pdu.length >> 8, 4, 0, ...pdu]));
  command('01 03 0c 00'); // reset
  command('01 01 20 08 1f 00 00 00 00 00 00 00'); // LE Set Event Mask
  command(`01 05 20 06 ${reversed(ownAddress)}`); // LE Set Random Address
  return {
    answers,
    acl,
    att,
    advertise: (address, data) => {
      const padded = Buffer.concat([data, Buffer.alloc(31 - data.length)]).toString('hex');
      command('01 0a 20 01 00'); // LE Set Advertise Enable: off
      command(`01 05 20 06 ${reversed(address)}`);
      command('01 06 20 0f a000 a000 00 01 00 000000000000 07 00'); // connectable, own address random
      command(`01 08 20 20 ${data.length.toString(16).padStart(2, '0')} ${padded}`);
      command('01 0a 20 01 01');
    },
    connect: async (address) => {
      // LE Create Connection (7.8.12): to a random address, as a random address
      command(`01 0d 20 19 6000 3000 00 01 ${reversed(address)} 01 0600 1200 0000 2a00 0400 0600`);
      const complete = await event((packet) => packet[1] === 0x3e && packet[3] === 0x01);
      if (complete[4] !== 0) throw new Error(`nobody took the connection (status ${complete[4]})`);
      return complete.readUInt16LE(5);
    },
    ended: async (handle) =>
      void (await event((packet) => packet[1] === 0x05 && packet.readUInt16LE(4) === handle)),
    close: () => void socket.destroy(),
  };
}

const reversed = (address: string): string => Buffer.from(address, 'hex').reverse().toString('hex');

function endOfPacket(bytes: Buffer): number | undefined {
  if (bytes[0] === 0x04) return bytes.length < 3 ? undefined : 3 + bytes.readUInt8(2);
  return bytes.length < 5 ? undefined : 5 + bytes.readUInt16LE(3);
}
