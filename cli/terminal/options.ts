/** Values of options, checked where they are typed: a wrong one ends the command with exit code 2. */
import { InvalidArgumentError } from 'commander';
import { requireBrokerUrl } from '../../courier/broker-url.js';
import { tagNumberIn } from '../../protocol/brands.js';
import { fromHex } from '../../protocol/bytes.js';
import { asError } from '../../protocol/errors.js';
import { usage } from './exit.js';
import { parseTime } from './times.js';

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** A decimal number above 0 and at most `max`. */
export function positiveNumber(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+(\.\d+)?$/.test(text) && value > 0 && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number above 0 and at most ${max}.`);
  };
}

/** What {@link time} takes, for a help line. */
export const TIME_FORMAT = '(unix seconds or ISO date; without Z, in your time zone)';

export function time(option: string): (text: string) => number {
  return (text) => parseTime(text, option);
}

/** A short name that is safe as a folder's name. */
export function shortName(text: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,31}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 32 lowercase letters, digits and dashes.');
}

/** A tag number as answers write it: "017" is 17. */
export function caseNumber(text: string): string {
  const tag = tagNumberIn(text);
  if (tag !== undefined) return String(tag);
  throw new InvalidArgumentError('It must be a tag number, such as 17.');
}

/** The address of an MQTT broker. Refused in words of its own: what is typed may hold a password, and is not repeated. */
export function brokerUrl(text: string): string {
  try {
    requireBrokerUrl(text);
    return text;
  } catch (error) {
    throw usage(`--broker: ${asError(error).message}`);
  }
}

/** "x,y" in metres. */
export function place(text: string): { readonly x: number; readonly y: number } {
  const parts = text.split(',').map(Number);
  const [x, y] = parts;
  if (parts.length === 2 && x !== undefined && y !== undefined && parts.every(Number.isFinite))
    return { x, y };
  throw new InvalidArgumentError('It must be two numbers of metres, such as 3.5,2.');
}

/** An address of this machine to listen on. Without one Node would listen on all of them. */
export function hostToListenOn(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It must be an address of this machine, such as 127.0.0.1.');
}

/** An Ed25519 public key in 64 hex digits. */
export function publicKeyHex(text: string): Uint8Array {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return fromHex(text);
  throw new InvalidArgumentError('It must be a public key in 64 hex digits.');
}

/** The address of an HTTP service, without a slash at its end. */
export function httpUrl(text: string): string {
  const isHttp = URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
  if (isHttp) return text.replace(/\/+$/, '');
  throw new InvalidArgumentError('It must be an address such as https://authority.example.org.');
}
