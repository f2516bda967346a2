/**
 * Which addresses of a broker are taken: MQTT over TCP or WebSocket, in plain text only on this host
 * (protocol.md §9). None that holds a user name or a password, since addresses are logged and told to other
 * processes.
 */
import { isTlsOrThisHost } from '../host/loopback.js';
import { FirebreakError } from '../protocol/errors.js';

/** What a broker of somebody else wants to hear at CONNECT. */
export interface BrokerLogin {
  readonly username: string;
  readonly password: string;
}

const SCHEMES: readonly string[] = ['mqtt:', 'mqtts:', 'ws:', 'wss:'];

/**
 * Throws `input` for what is no MQTT URL, holds a login, or is no TLS off loopback. What may hold a secret is
 * not repeated.
 */
export function requireBrokerUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (url.includes('@'))
    throw new FirebreakError(
      'input',
      'the broker’s URL holds a user name or a password: name it without, such as mqtts://broker.example.org, and put them into the file broker.login of the data folder',
    );
  if (!parsed || !SCHEMES.includes(parsed.protocol) || parsed.hostname === '')
    throw new FirebreakError('input', `${url} is no MQTT URL, such as mqtt://127.0.0.1:1883`);
  if (!isTlsOrThisHost(parsed))
    throw new FirebreakError(
      'input',
      `${url} is not on this host: use ${parsed.protocol.slice(0, -1)}s:// there`,
    );
}
