/**
 * The rules for one item of a batch, in order: its writer's certificate, first, so that a revoked gateway
 * learns nothing else of what it sends; its type; then what that type asks for.
 */
import type { BatchItem } from '../../protocol/mqtt/batch.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { FirebreakError, isRefusal, type Refusal } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { decodeCredentialsPayload } from '../../protocol/payload/credentials.js';
import { decodeNoticePayload } from '../../protocol/payload/notice.js';
import type { CheckedItem } from '../sequence/checked-batch.js';
import { KEPT_DAY } from '../store/store-keys.js';
import { certificateRule } from './certificate.js';
import { readDayKeyEntry } from './day-key-entry.js';
import { entryTypeRule } from './entry-type.js';
import { readGatewayEntry } from './gateway-entry.js';
import { requirePadded, requirePowerOfTwo } from './padded-entry.js';
import { presenceReportDay } from './presence-report.js';
import { readPruningEntry } from './pruning-entry.js';
import { tagReportDay } from './tag-report.js';
import type { Writer, WriterDirectory } from './writer.js';

export interface AdmissionContext {
  /** Everyone who may write, as of the last commit. */
  readonly directory: Pick<WriterDirectory, 'find'>;
  readonly issuerPublicKey: Uint8Array;
  /** How long after its day a report is accepted (protocol.md §8). */
  readonly retentionDays: number;
}

/** What an admitted item tells the sequencer. */
interface Reading {
  readonly retentionDay: number;
  readonly statement: CheckedItem['statement'];
}

const KEPT: Reading = { retentionDay: KEPT_DAY, statement: undefined };

/**
 * Types that are checked for their form alone. What is in types 11 and up, for later streams (protocol.md
 * §10), is for their writers to say.
 */
const FORM_CHECKS: Readonly<Record<number, (payload: Uint8Array) => void>> = {
  [ENTRY_TYPE.case]: requirePadded,
  [ENTRY_TYPE.access]: requirePowerOfTwo,
  [ENTRY_TYPE.identity]: requirePadded,
  [ENTRY_TYPE.notices]: (payload) => void decodeNoticePayload(payload),
  [ENTRY_TYPE.credentials]: (payload) => void decodeCredentialsPayload(payload),
};

function read(context: AdmissionContext, writer: Writer, item: BatchItem): Reading {
  if (item.type === ENTRY_TYPE.tagReport)
    return { ...KEPT, retentionDay: tagReportDay(item, writer, context) };
  if (item.type === ENTRY_TYPE.presenceReport)
    return { ...KEPT, retentionDay: presenceReportDay(item, writer, context) };
  const { issuerPublicKey } = context;
  if (item.type === ENTRY_TYPE.gateway)
    return { ...KEPT, statement: readGatewayEntry(item.payload, issuerPublicKey) };
  if (item.type === ENTRY_TYPE.dayKey)
    return { ...KEPT, statement: readDayKeyEntry(item.payload, writer, issuerPublicKey) };
  if (item.type === ENTRY_TYPE.pruning)
    return { ...KEPT, statement: readPruningEntry(item.payload, writer, issuerPublicKey) };
  FORM_CHECKS[item.type]?.(item.payload);
  return KEPT;
}

function judge(context: AdmissionContext, writer: Writer, item: BatchItem): Reading | Refusal {
  const refusal = certificateRule(item.timeMs, writer) ?? entryTypeRule(item.type, writer);
  if (refusal !== undefined) return refusal;
  try {
    return read(context, writer, item);
  } catch (error) {
    if (error instanceof FirebreakError && isRefusal(error.code)) return error.code;
    throw error;
  }
}

/** An item as the sequencer takes it, its refusal in it if there is one. */
export function checkItem(context: AdmissionContext, writer: Writer, item: BatchItem): CheckedItem {
  const judged = judge(context, writer, item);
  const common = {
    type: item.type,
    timeMs: item.timeMs,
    payload: item.payload,
    payloadSha256: sha256(item.payload),
  };
  return typeof judged === 'string'
    ? { ...common, ...KEPT, refusal: judged }
    : { ...common, ...judged, refusal: undefined };
}
