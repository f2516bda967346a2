/** Where a hosted air is met: a unix socket, or TCP on the loopback. */
import type { ListenOptions, NetConnectOpts } from 'node:net';
import { FirebreakError } from '../../protocol/errors.js';

export type AirAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/** sockaddr_un holds 108 bytes with the final zero; Node cuts longer paths without a word. */
const MAX_PATH_BYTES = 107;
const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', 'localhost'];

/** Throws `input` for a path too long for a socket, or a host that is not this machine: the air trusts who connects. */
export function socketOptions(address: AirAddress): ListenOptions & NetConnectOpts {
  if ('path' in address) {
    if (Buffer.byteLength(address.path) <= MAX_PATH_BYTES) return { path: address.path };
    throw new FirebreakError(
      'input',
      `the path of the air socket is longer than ${MAX_PATH_BYTES} bytes; choose a shorter folder`,
    );
  }
  if (LOOPBACK.includes(address.host)) return { host: address.host, port: address.port };
  throw new FirebreakError('input', 'the air is for processes of one machine; give it a loopback address');
}

export function addressText(address: AirAddress): string {
  return 'path' in address ? address.path : `${address.host}:${address.port}`;
}
