/**
 * How a tag finds a gateway (protocol.md §12, "Gateway advert"): a connectable advert of nothing but flags
 * and the gateway service.
 *
 *     advert (7)  02 01 06 || 03 03 uuid16-LE
 */
import { equalBytes } from '../bytes.js';
import { DEFAULT_SETTINGS } from '../settings.js';

export function encodeGatewayAdvert(serviceUuid: number = DEFAULT_SETTINGS.gatewayServiceUuid): Uint8Array {
  return Uint8Array.of(0x02, 0x01, 0x06, 0x03, 0x03, serviceUuid & 0xff, serviceUuid >> 8);
}

export function isGatewayAdvert(
  advert: Uint8Array,
  serviceUuid: number = DEFAULT_SETTINGS.gatewayServiceUuid,
): boolean {
  return equalBytes(advert, encodeGatewayAdvert(serviceUuid));
}
