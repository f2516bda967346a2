/** Which addresses of a broker are taken: MQTT over TCP or WebSocket, in plain text only on this host (protocol.md §9). */
import { FirebreakError } from '../protocol/errors.js';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const SCHEMES: readonly string[] = ['mqtt:', 'mqtts:', 'ws:', 'wss:'];

/** Throws `input` for what is no MQTT URL, or no TLS off loopback. */
export function requireBrokerUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !SCHEMES.includes(parsed.protocol) || parsed.hostname === '')
    throw new FirebreakError('input', `${url} is no MQTT URL, such as mqtt://127.0.0.1:1883`);
  const isPlain = parsed.protocol === 'mqtt:' || parsed.protocol === 'ws:';
  if (isPlain && !LOOPBACK.test(parsed.hostname))
    throw new FirebreakError(
      'input',
      `${url} is not on this host: use ${parsed.protocol.slice(0, -1)}s:// there`,
    );
}
