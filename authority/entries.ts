/** The authority's ledger entries (protocol.md §10): types 3, 4, 8, 9 and 10, each payload under a fresh salt. */
import type { Courier, PostedEntry } from '../courier/courier.js';
import type { Clock } from '../protocol/clock.js';
import { ENTRY_TYPE } from '../protocol/tlog/entry.js';
import { encodeCredentialsPayload } from '../protocol/payload/credentials.js';
import { encodeDayKeyPayload } from '../protocol/payload/day-key.js';
import { encodeGatewayPayload } from '../protocol/payload/gateway.js';
import { FirebreakError } from '../protocol/errors.js';
import { encodeNoticePayload } from '../protocol/payload/notice.js';
import { encodePruningPayload } from '../protocol/payload/pruning.js';
import { SALT_BYTES } from '../protocol/payload/salt.js';

/** The part of the courier that is needed here. */
export type EntrySink = Pick<Courier, 'post'>;

/** Each resolves when the courier holds the entry on disk. Throws `full` when the courier's spool is. */
export interface AuthorityEntries {
  gatewayEnrolled(certificate: Uint8Array): Promise<void>;
  /** Resolves what tells the ledger's answer. */
  gatewayRevoked(revocation: Uint8Array): Promise<PostedEntry>;
  dayKeyPublished(statement: Uint8Array): Promise<void>;
  dayKeyDestroyed(day: number): Promise<void>;
  /** Resolves what tells the ledger's answer. */
  payloadsPruned(day: number): Promise<PostedEntry>;
  /** Resolves what tells the ledger's answer. */
  noticePublished(notice: Uint8Array): Promise<PostedEntry>;
  credentialsIssued(requestHash: Uint8Array, root: Uint8Array): Promise<void>;
}

export interface AuthorityEntriesDeps {
  readonly courier: EntrySink;
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
}

export function authorityEntries({ courier, clock, randomBytes }: AuthorityEntriesDeps): AuthorityEntries {
  const salt = () => randomBytes(SALT_BYTES);
  const posted = async (type: number, payload: Uint8Array): Promise<PostedEntry> => {
    const [one] = await courier.post([{ type, timeMs: clock.nowMs(), payload }]);
    if (one === undefined) throw new FirebreakError('closed', 'the courier did not take an entry');
    return one;
  };
  const post = async (type: number, payload: Uint8Array): Promise<void> => void (await posted(type, payload));
  return {
    gatewayEnrolled: (certificate) =>
      post(ENTRY_TYPE.gateway, encodeGatewayPayload({ kind: 'enrolled', salt: salt(), certificate })),
    gatewayRevoked: (revocation) =>
      posted(ENTRY_TYPE.gateway, encodeGatewayPayload({ kind: 'revoked', salt: salt(), revocation })),
    dayKeyPublished: (statement) =>
      post(ENTRY_TYPE.dayKey, encodeDayKeyPayload({ kind: 'published', salt: salt(), statement })),
    dayKeyDestroyed: (day) =>
      post(
        ENTRY_TYPE.dayKey,
        encodeDayKeyPayload({ kind: 'destroyed', salt: salt(), day, destroyedAtMs: clock.nowMs() }),
      ),
    payloadsPruned: (day) =>
      posted(ENTRY_TYPE.pruning, encodePruningPayload({ salt: salt(), day, prunedAtMs: clock.nowMs() })),
    noticePublished: (notice) => posted(ENTRY_TYPE.notices, encodeNoticePayload({ salt: salt(), notice })),
    credentialsIssued: (requestHash, root) =>
      post(ENTRY_TYPE.credentials, encodeCredentialsPayload({ salt: salt(), requestHash, root })),
  };
}
