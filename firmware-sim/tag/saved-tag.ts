/** A tag's durable state as JSON, version 1; bytes are hex. What is read back is checked field by field. */
import { z } from 'zod';
import { fromHex, toHex } from '../../protocol/bytes.js';
import { GATEWAY_REFUSALS } from '../../protocol/errors.js';
import type { ProtocolSettings } from '../../protocol/settings.js';
import { PACKED_DAY_BYTES } from './credential-shelf.js';
import { emptyTable } from './encounter-table.js';
import type { TagState } from './tag-state.js';

const whole = z.number().int().nonnegative();
const bytes = (length?: number) =>
  z
    .string()
    .regex(/^([0-9a-f]{2})*$/)
    .refine((text) => length === undefined || text.length === 2 * length, 'has another length')
    .transform(fromHex);
const keysByDay = (length: number) =>
  z.array(z.tuple([whole, bytes(length)])).transform((entries) => new Map(entries));

const savedTag = z.strictObject({
  version: z.literal(1),
  issuerPublicKey: bytes(32),
  txPowerDbm: z.number().int().min(-128).max(127),
  secret: z.strictObject({ day: whole, bytes: bytes(32) }),
  epochs: keysByDay(PACKED_DAY_BYTES),
  sealingKeys: keysByDay(32),
  noticeKeys: keysByDay(16),
  clock: z.strictObject({
    offsetMs: z.number().int(),
    isLost: z.boolean(),
    freeFromMs: whole.optional(),
    newestSignedMs: whole,
    movedAtMs: whole.optional(),
  }),
  chain: z.strictObject({
    nextSeq: whole,
    prev: bytes(32),
    outstanding: z
      .strictObject({ seq: whole, day: whole, plaintext: bytes(), ids: z.array(whole) })
      .optional(),
    delivered: z.array(whole),
  }),
  pendingRequest: z
    .strictObject({ replySecretKey: bytes(32), requestHash: bytes(32), firstDay: whole, days: whole })
    .optional(),
  warnings: z.array(z.strictObject({ day: whole, number: whole, code: whole })),
  counters: z.strictObject({ heard: whole, logged: whole, delivered: whole, reports: whole, refused: whole }),
  evicted: whole,
  lastRefusal: z.enum(GATEWAY_REFUSALS).optional(),
  aired: z.strictObject({ epoch: whole, address: z.string().length(12), phaseMs: whole }).optional(),
  seenMs: whole.optional(),
  /** What a tag was sending, as earlier versions kept it instead of `aired`. */
  onAir: z.object({ epoch: whole, address: z.string().length(12), phaseMs: whole }).optional(),
});

export function encodeSavedTag(state: TagState): string {
  const { shelf } = state;
  const saved = {
    version: 1,
    issuerPublicKey: state.issuerPublicKey,
    txPowerDbm: state.txPowerDbm,
    secret: state.secret,
    epochs: [...shelf.epochs],
    sealingKeys: [...shelf.sealingKeys],
    noticeKeys: [...shelf.noticeKeys],
    clock: state.clock,
    chain: state.chain,
    pendingRequest: state.pendingRequest,
    warnings: state.warnings,
    counters: state.counters,
    evicted: state.table.evicted,
    lastRefusal: state.lastRefusal,
    aired: state.aired,
    seenMs: state.seenMs,
  };
  return JSON.stringify(saved, (_key, value: unknown) =>
    value instanceof Uint8Array ? toHex(value) : value,
  );
}

/** The state without open records, which the sample journal brings back. Throws what JSON.parse or zod throws. */
export function decodeSavedTag(text: string, settings: ProtocolSettings): TagState {
  const saved = savedTag.parse(JSON.parse(text));
  const { epochs, sealingKeys, noticeKeys, evicted } = saved;
  return {
    settings,
    issuerPublicKey: saved.issuerPublicKey,
    txPowerDbm: saved.txPowerDbm,
    shelf: { epochs, sealingKeys, noticeKeys },
    table: { ...emptyTable(), evicted },
    counters: saved.counters,
    clock: { ...saved.clock, movedAtMs: saved.clock.movedAtMs, freeFromMs: saved.clock.freeFromMs },
    secret: saved.secret,
    chain: { ...saved.chain, outstanding: saved.chain.outstanding },
    pendingRequest: saved.pendingRequest,
    warnings: saved.warnings,
    onAir: undefined,
    aired: saved.aired ?? saved.onAir,
    seenMs: saved.seenMs,
    lastRefusal: saved.lastRefusal,
    dueMs: 0,
  };
}
