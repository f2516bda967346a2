/** Addresses that a device makes up for itself. */
import { toHex } from '../protocol/bytes.js';
import type { RadioAddress } from './contract.js';

/** A random static address (Bluetooth Core, Vol 6, Part B, 1.3.2.1) of six random bytes: its two highest bits are ones. */
export function staticAddressOf(random: Uint8Array): RadioAddress {
  const address = random.slice(0, 6);
  address[0] = (address[0] ?? 0) | 0xc0;
  return toHex(address);
}
