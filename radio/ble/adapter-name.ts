/** How a Bluetooth adapter is named in settings: by index, by its address, or by the socket or serial port it is behind. */
import { FirebreakError } from '../../protocol/errors.js';

export type AdapterName =
  /** hciN of this host's kernel. */
  | { readonly kind: 'index'; readonly index: number }
  /** The kernel's adapter with this address, lowercase hex without separators. */
  | { readonly kind: 'address'; readonly address: string }
  /** A controller behind a unix socket that speaks H4 (Bluetooth Core, Vol 4, Part A): the emulator. */
  | { readonly kind: 'unix'; readonly path: string }
  /** A controller on a serial port. */
  | { readonly kind: 'uart'; readonly port: string; readonly baudRate: number };

const DEFAULT_BAUD = 1_000_000;
const MAX_INDEX = 255;

/**
 * Reads `hci0` or `0`; `aa:bb:cc:dd:ee:ff`; `unix:/path`; `/dev/ttyUSB0` or `/dev/ttyUSB0@115200`. Throws `input` for
 * anything else.
 */
export function parseAdapter(text: string): AdapterName {
  const index = /^(?:hci)?(\d{1,3})$/.exec(text)?.[1];
  if (index !== undefined && Number(index) <= MAX_INDEX) return { kind: 'index', index: Number(index) };
  if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) {
    return { kind: 'address', address: text.replaceAll(':', '').toLowerCase() };
  }
  if (/^unix:.+/.test(text)) return { kind: 'unix', path: text.slice('unix:'.length) };
  const uart = /^(\/dev\/[^@]+)(?:@(\d{3,8}))?$/.exec(text);
  if (uart?.[1] !== undefined) {
    return { kind: 'uart', port: uart[1], baudRate: uart[2] === undefined ? DEFAULT_BAUD : Number(uart[2]) };
  }
  throw new FirebreakError(
    'input',
    `"${text}" names no Bluetooth adapter; write hci0, an adapter's address, unix:/path or /dev/ttyUSB0@115200`,
  );
}

/** As it is written in settings and log lines. */
export function adapterText(name: AdapterName): string {
  switch (name.kind) {
    case 'index':
      return `hci${name.index}`;
    case 'address':
      return name.address.replace(/..(?!$)/g, '$&:');
    case 'unix':
      return `unix:${name.path}`;
    case 'uart':
      return `${name.port}@${name.baudRate}`;
  }
}
