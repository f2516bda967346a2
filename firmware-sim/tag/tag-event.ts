/** What happens to a tag, and what it wants done in turn. Times are the tag's own, ms. */
import type { Beacon } from '../../protocol/tag/beacon.js';
import type { CredentialPack } from '../../protocol/tag/credential-pack.js';
import type { EncounterRecord } from '../../protocol/tag/encounter-record.js';
import type { GatewayRefusal } from '../../protocol/errors.js';
import type { Hello } from '../../protocol/session/hello.js';
import type { Notice } from '../../protocol/tag/notice.js';
import type { PendingRequest } from '../live/enrolment.js';
import type { FlashEntry } from './flash.js';
import type { Sample } from './open-record.js';
import type { TagOnAir } from './tag-state.js';

export type TagEvent =
  | { readonly type: 'time'; readonly nowMs: number }
  | {
      readonly type: 'heard';
      readonly nowMs: number;
      readonly beacon: Beacon;
      readonly rssiDbm: number | undefined;
    }
  /** The time is lost, or known again: tag time is `offsetMs` more than host time, and by that `movedMs` later than it was. */
  | {
      readonly type: 'clock';
      readonly nowMs: number;
      readonly movedMs: number;
      readonly isLost: boolean;
      readonly offsetMs: number;
    }
  /** Power came back. `samples` are those of records that were open, as they were noted, and `epochs` those with notes. */
  | {
      readonly type: 'restart';
      readonly nowMs: number;
      readonly clockLost: boolean;
      readonly samples: Iterable<Sample>;
      readonly epochs: Iterable<number>;
    }
  | { readonly type: 'requested'; readonly nowMs: number; readonly pending: PendingRequest }
  /** An opened pack that answers the pending request. */
  | { readonly type: 'pack'; readonly nowMs: number; readonly pack: CredentialPack }
  /** A hello that verified. Throws what tag-clock.ts throws when it is not to be believed. */
  | { readonly type: 'hello'; readonly nowMs: number; readonly hello: Hello }
  | {
      readonly type: 'report-wanted';
      readonly nowMs: number;
      readonly entries: Iterable<FlashEntry>;
    }
  /** A receipt that verified, for the outstanding report. */
  | {
      readonly type: 'receipt';
      readonly nowMs: number;
      readonly reportHash: Uint8Array;
      readonly refusal: GatewayRefusal | undefined;
    }
  | { readonly type: 'notices'; readonly nowMs: number; readonly notices: readonly Notice[] };

export type TagEffect =
  /** Address, phase and content in one move; within an epoch only the content differs. */
  | { readonly type: 'advertise'; readonly onAir: TagOnAir }
  | { readonly type: 'silence' }
  /** A sample of the open record that began in `epoch`: note it, so that the record survives a restart. */
  | { readonly type: 'note'; readonly epoch: number; readonly sample: Sample }
  /** Write closed records to flash, then forget the notes of their epochs. */
  | {
      readonly type: 'store';
      readonly records: readonly EncounterRecord[];
      readonly epochs: readonly number[];
    }
  | { readonly type: 'free'; readonly ids: readonly number[] }
  | { readonly type: 'drop'; readonly ids: readonly number[] }
  /** Drop what began before that day, and count it. */
  | { readonly type: 'expire'; readonly beforeDay: number }
  /** Make the state durable before anything else; old secrets are gone from it. */
  | { readonly type: 'save' }
  | { readonly type: 'want-session' };

/** Random bytes, from the caller. */
export type RandomBytes = (length: number) => Uint8Array;
