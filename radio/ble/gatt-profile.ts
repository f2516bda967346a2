/** The gateway's service on Bluetooth: UUIDs and error codes (docs/protocol.md, "The service on Bluetooth"). */
import { GATEWAY_REFUSALS, refusalNumber, refusalOf, FirebreakError } from '../../protocol/errors.js';
import type { GatewayRefusal } from '../../protocol/errors.js';
import { attError } from '../air/gatt-connection.js';
import type { Characteristic } from '../contract.js';

/** Lowercase without dashes, as both libraries name them. */
export const SERVICE_UUID = uuidOf(0);

export const CHARACTERISTIC_UUIDS: Readonly<Record<Characteristic, string>> = {
  hello: uuidOf(1),
  upload: uuidOf(2),
  receipt: uuidOf(3),
  refresh: uuidOf(4),
};

/** Reading it asks to be taken as a client: one byte when one is, an error when not. */
export const ADMISSION_UUID = uuidOf(5);

function uuidOf(number: number): string {
  return `9f1b${number.toString(16).padStart(4, '0')}7c1e4c7a9d5e66697265626b`;
}

export const ATT_SUCCESS = 0x00;
export const ATT_INVALID_OFFSET = 0x07;
export const ATT_INVALID_LENGTH = 0x0d;
/** "Unlikely error": what a server says that cannot answer and does not say why. */
const ATT_UNLIKELY = 0x0e;
/** Application errors are 0x80 to 0x9f (Bluetooth Core, Vol 3, Part F, 3.4.1.1): this one plus the refusal's number. */
const ATT_APPLICATION = 0x80;

/** The one byte that crosses the air of a handler's failure. */
export function attCodeOf(error: unknown): number {
  const { code } = attError(error);
  const refusal = GATEWAY_REFUSALS.find((known: GatewayRefusal) => known === code);
  return refusal === undefined ? ATT_UNLIKELY : ATT_APPLICATION + refusalNumber(refusal);
}

/** The failure behind that byte, for the client. */
export function errorOfAtt(attCode: number): FirebreakError {
  const number = attCode - ATT_APPLICATION;
  if (number < 1 || number > GATEWAY_REFUSALS.length) {
    return new FirebreakError('unreachable', 'the server could not answer');
  }
  const refusal = refusalOf(number) ?? 'unreachable';
  return new FirebreakError(refusal, `the server refused: ${refusal}`);
}
