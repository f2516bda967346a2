/** A writer that speaks MQTT 3.1.1 by itself, to do what no client does: send without pause, and stop reading. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { makeConnectToken } from '../../protocol/mqtt/connect-token.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { partyIdOf } from '../../protocol/keys.js';
import { entriesTopic, receiptsTopic } from '../../protocol/mqtt/topics.js';

const [CONNECT, PUBLISH_QOS_1, SUBSCRIBE, PINGREQ] = [0x10, 0x32, 0x82, 0xc0];
/** A user name, a password, a clean session; no keep-alive. */
const CONNECT_FLAGS = Buffer.from([4, 0xc2, 0, 0]);

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const text = (value: string): Buffer => Buffer.concat([u16(Buffer.byteLength(value)), Buffer.from(value)]);

/** A packet of §2.2. */
export function packet(first: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const header = [first];
  let rest = body.length;
  do {
    const digit = rest % 128;
    rest = Math.floor(rest / 128);
    header.push(rest > 0 ? digit + 128 : digit);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(header), body]);
}

export const PING = packet(PINGREQ);

/** Connected, and told its receipts when `listens`. What comes later is for the caller to read, or not. */
export async function rawWriter(url: string, signer: Signer, listens = true): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  const { username, password } = makeConnectToken(signer, Date.now(), randomBytes(16));
  const who = [randomBytes(8).toString('hex'), username, password].map(text);
  socket.write(packet(CONNECT, text('MQTT'), CONNECT_FLAGS, ...who));
  await once(socket, 'data');
  if (!listens) return socket;
  const topic = text(receiptsTopic(partyIdOf(signer.publicKey)));
  socket.write(packet(SUBSCRIBE, u16(1), topic, Uint8Array.of(1)));
  await once(socket, 'data');
  return socket;
}

/** The batches as PUBLISH packets, one after the other. */
export function publishes(signer: Signer, batches: readonly Uint8Array[]): Buffer {
  const topic = text(entriesTopic(partyIdOf(signer.publicKey)));
  return Buffer.concat(batches.map((batch, i) => packet(PUBLISH_QOS_1, topic, u16((i % 65_535) + 1), batch)));
}
