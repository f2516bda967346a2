/**
 * What a process and a hosted air say to each other, inside the frames of socket-frames.ts. Both sides may call (and get
 * one answer by id) and tell (and get none):
 *
 *     {"call": id, "body": {"op": …}}     {"answer": id, "value": …}     {"answer": id, "error": {code, message}}     {"tell": {"op": …}}
 */
import { z } from 'zod';
import { FirebreakError, GATEWAY_REFUSALS } from '../../protocol/errors.js';
import { MAX_ADVERT_BYTES, MAX_ATTRIBUTE_BYTES } from '../contract.js';

export const SOCKET_VERSION = 1;

export const toWire = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const bytesUpTo = (most: number) =>
  z
    .string()
    .max(2 * most)
    .regex(/^(?:[0-9a-f]{2})*$/)
    .transform((hex): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex')));

const number = z.number().int().nonnegative();
const address = z.string().regex(/^[0-9a-f]{12}$/);
const attribute = bytesUpTo(MAX_ATTRIBUTE_BYTES);
const characteristic = z.enum(['hello', 'upload', 'receipt', 'refresh']);
const advert = bytesUpTo(MAX_ADVERT_BYTES);
const place = z.object({ x: z.number(), y: z.number(), z: z.number().default(0) });
const advertiserSettings = z.object({
  address,
  advert,
  txPowerDbm: z.number(),
  intervalMs: z.number(),
  phaseMs: z.number(),
  jitter: z.number(),
  connectable: z.boolean(),
});

/** Calls a process makes to the air. `link` and `peer` number the connections in which it is client and server. */
export const clientCall = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('join'),
    version: z.literal(SOCKET_VERSION),
    name: z.string().min(1).max(64),
    place: place.optional(),
  }),
  z.object({ op: z.literal('scan'), on: z.boolean() }),
  z.object({ op: z.literal('advertise'), settings: advertiserSettings.optional() }),
  z.object({ op: z.literal('serve'), on: z.boolean() }),
  z.object({ op: z.literal('connect'), address, attempt: number }),
  z.object({ op: z.literal('read'), link: number, characteristic }),
  z.object({ op: z.literal('write'), link: number, characteristic, value: attribute }),
  z.object({ op: z.literal('subscribe'), link: number, characteristic }),
  z.object({ op: z.literal('close'), link: number }),
  z.object({ op: z.literal('notify'), peer: number, characteristic, value: attribute }),
  z.object({ op: z.literal('disconnect'), peer: number }),
]);
export const clientTell = z.discriminatedUnion('op', [
  z.object({ op: z.literal('cancel'), attempt: number }),
]);

/** Calls the air makes to a process that serves. */
export const airCall = z.discriminatedUnion('op', [
  z.object({ op: z.literal('accept'), peer: number, payloadBytes: number }),
  z.object({ op: z.literal('on-read'), peer: number, characteristic }),
  z.object({ op: z.literal('on-write'), peer: number, characteristic, value: attribute }),
]);
export const airTell = z.discriminatedUnion('op', [
  z.object({ op: z.literal('sighting'), address, advert, rssiDbm: z.number().optional(), heardAtMs: number }),
  z.object({ op: z.literal('notified'), link: number, characteristic, value: attribute }),
  z.object({ op: z.literal('link-closed'), link: number }),
  z.object({ op: z.literal('peer-closed'), peer: number }),
]);

/** Answers that carry something; the others carry null. */
export const linkAnswer = z.object({ link: number, payloadBytes: number });
export const valueAnswer = attribute;

export type ClientCall = z.infer<typeof clientCall>;
export type ClientTell = z.infer<typeof clientTell>;
export type AirCall = z.infer<typeof airCall>;
export type AirTell = z.infer<typeof airTell>;

/** The outgoing forms: bytes are hex there. */
export type Outgoing =
  z.input<typeof clientCall> | z.input<typeof clientTell> | z.input<typeof airCall> | z.input<typeof airTell>;

const CODES = [
  ...GATEWAY_REFUSALS, 'size', 'closed', 'timeout', 'unreachable', 'full', 'exists', 'not-found', 'foreign', 'input',
] as const; // prettier-ignore

export const envelope = z.union([
  z.strictObject({ call: number, body: z.unknown() }),
  z.object({ answer: number, error: z.object({ code: z.enum(CODES), message: z.string().max(400) }) }),
  z.strictObject({ answer: number, value: z.unknown() }),
  z.strictObject({ tell: z.unknown() }),
]);
export type Envelope = z.infer<typeof envelope>;

/** Parses what came over the socket; throws `foreign` without quoting it. */
export function parseMessage<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new FirebreakError('foreign', 'the other side of the air socket speaks another version', {
    cause: parsed.error,
  });
}

/** What of an error goes over the socket. A code the socket does not know, or a foreign error, becomes `unreachable`. */
export function wireError(error: unknown): { code: (typeof CODES)[number]; message: string } {
  const coded = error instanceof FirebreakError ? error : undefined;
  const code = CODES.find((known) => known === coded?.code);
  const message = coded?.message.slice(0, 400) ?? '';
  return code === undefined ? { code: 'unreachable', message: 'the other side failed' } : { code, message };
}
