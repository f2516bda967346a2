/** The MQTT topics of protocol.md §9. {id} is a writerId in lowercase hex. */
import { fromHex, toHex } from '../bytes.js';

const WRITERS = 'firebreak/v1/writers/';
const AUTHORITY = 'firebreak/v1/authority/';

/** Up: batches of one writer. */
export const entriesTopic = (writerId: Uint8Array): string => `${WRITERS}${toHex(writerId)}/entries`;
/** Down: ledger receipts for one writer. */
export const receiptsTopic = (writerId: Uint8Array): string => `${WRITERS}${toHex(writerId)}/receipts`;
/** Up, retained, last will: how one writer is. */
export const statusTopic = (writerId: Uint8Array): string => `${WRITERS}${toHex(writerId)}/status`;

/** What a ledger that meets its writers through an outside broker subscribes to. */
export const ALL_ENTRIES_TOPIC = `${WRITERS}+/entries`;
/** Retained: day-key statements in a row. */
export const DAY_KEYS_TOPIC = `${AUTHORITY}day-keys`;
/** Retained: notices in a row. */
export const NOTICES_TOPIC = `${AUTHORITY}notices`;
/** Retained: revocations in a row. */
export const REVOCATIONS_TOPIC = `${AUTHORITY}revocations`;

export type ParsedTopic =
  | { readonly kind: 'entries' | 'receipts' | 'status'; readonly writerId: Uint8Array }
  | { readonly kind: 'day-keys' | 'notices' | 'revocations' };

const WRITER_TOPIC = /^firebreak\/v1\/writers\/([0-9a-f]{32})\/(entries|receipts|status)$/;
const AUTHORITY_TOPIC = /^firebreak\/v1\/authority\/(day-keys|notices|revocations)$/;

/** What a topic is for; `undefined` when it is none of ours. */
export function parseTopic(topic: string): ParsedTopic | undefined {
  const [, id, writerKind] = WRITER_TOPIC.exec(topic) ?? [];
  if (id !== undefined && isWriterKind(writerKind)) return { kind: writerKind, writerId: fromHex(id) };
  const [, authorityKind] = AUTHORITY_TOPIC.exec(topic) ?? [];
  return isAuthorityKind(authorityKind) ? { kind: authorityKind } : undefined;
}

function isWriterKind(kind: string | undefined): kind is 'entries' | 'receipts' | 'status' {
  return kind === 'entries' || kind === 'receipts' || kind === 'status';
}

function isAuthorityKind(kind: string | undefined): kind is 'day-keys' | 'notices' | 'revocations' {
  return kind === 'day-keys' || kind === 'notices' || kind === 'revocations';
}
