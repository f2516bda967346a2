/** All a tag knows, but for the closed records in its flash. Its owner holds it; tag-step.ts changes it in place. */
import type { ErrorCode } from '../../protocol/errors.js';
import type { ProtocolSettings } from '../../protocol/settings.js';
import type { RadioAddress } from '../../radio/contract.js';
import { emptyShelf } from './credential-shelf.js';
import type { CredentialShelf } from './credential-shelf.js';
import { emptyTable } from './encounter-table.js';
import type { EncounterTable } from './encounter-table.js';
import type { PendingRequest } from '../live/enrolment.js';
import { newChain } from './report-chain.js';
import type { ReportChain } from './report-chain.js';
import { newClock } from './tag-clock.js';
import type { TagClock } from './tag-clock.js';
import type { TagSecret } from './tag-secret.js';

/** What changes together at the epoch (protocol.md §4). */
export interface TagPlace {
  readonly epoch: number;
  readonly address: RadioAddress;
  readonly phaseMs: number;
}

/** And the advert of the present minute. */
export interface TagOnAir extends TagPlace {
  readonly minute: number;
  readonly advert: Uint8Array;
  readonly txPowerDbm: number;
}

/** A notice that meant this tag. */
export interface Warning {
  readonly day: number;
  readonly number: number;
  readonly code: number;
}

export interface TagCounters {
  /** Beacons that counted. */
  heard: number;
  logged: number;
  delivered: number;
  reports: number;
  refused: number;
}

export interface TagState {
  readonly settings: ProtocolSettings;
  readonly issuerPublicKey: Uint8Array;
  readonly txPowerDbm: number;
  readonly shelf: CredentialShelf;
  readonly table: EncounterTable;
  readonly counters: TagCounters;
  clock: TagClock;
  secret: TagSecret;
  chain: ReportChain;
  pendingRequest: PendingRequest | undefined;
  warnings: readonly Warning[];
  onAir: TagOnAir | undefined;
  /** The newest epoch whose ID was on the air, and where: no ID of it or one before is ever sent from elsewhere. */
  aired: TagPlace | undefined;
  /** Tag time when it was known last. */
  seenMs: number | undefined;
  lastRefusal: ErrorCode | undefined;
  /** Tag time from which on a `time` event would change something. */
  dueMs: number;
}

export function newTagState(given: {
  readonly settings: ProtocolSettings;
  readonly issuerPublicKey: Uint8Array;
  readonly secret: TagSecret;
  readonly txPowerDbm?: number;
}): TagState {
  return {
    settings: given.settings,
    issuerPublicKey: given.issuerPublicKey,
    txPowerDbm: given.txPowerDbm ?? 0,
    shelf: emptyShelf(),
    table: emptyTable(),
    counters: { heard: 0, logged: 0, delivered: 0, reports: 0, refused: 0 },
    clock: newClock(),
    secret: given.secret,
    chain: newChain(),
    pendingRequest: undefined,
    warnings: [],
    onAir: undefined,
    aired: undefined,
    seenMs: undefined,
    lastRefusal: undefined,
    dueMs: 0,
  };
}

/** A tag that never had credentials has nothing to lose by taking its host's word for the time. */
export const isFresh = ({ shelf, aired }: TagState): boolean =>
  aired === undefined && shelf.noticeKeys.size === 0;
