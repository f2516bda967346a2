/** What is left of a batch once everything that does not depend on the log's state was checked (admission/). */
import type { UnixMs } from '../../protocol/brands.js';
import type { Refusal } from '../../protocol/errors.js';

export interface CheckedItem {
  readonly type: number;
  readonly timeMs: UnixMs;
  readonly payload: Uint8Array;
  readonly payloadSha256: Uint8Array;
  /** Why this item cannot be admitted. */
  readonly refusal: Refusal | undefined;
  /** Day whose payloads are pruned together, or KEPT_DAY. */
  readonly retentionDay: number;
  /** What the entry says of a gateway or of a day, for the registers. */
  readonly statement: GatewayStatement | DayStatement | undefined;
}

export type GatewayStatement =
  | {
      readonly kind: 'enrolled';
      readonly publicKey: Uint8Array;
      readonly fromDay: number;
      readonly toDay: number;
    }
  | { readonly kind: 'revoked'; readonly gatewayId: Uint8Array; readonly fromMs: number };

/** The issuer's word on a day: its keys are destroyed; its payloads are pruned. */
export interface DayStatement {
  readonly kind: 'keys-destroyed' | 'payloads-pruned';
  readonly day: number;
}

export interface CheckedBatch {
  readonly writerId: Uint8Array;
  readonly seq: number;
  readonly batchHash: Uint8Array;
  readonly items: readonly CheckedItem[];
}

/** A batch refused as a whole: nothing of it is kept, and the writer may send another under the same seq. */
export interface RefusedBatch {
  readonly writerId: Uint8Array;
  readonly seq: number;
  readonly batchHash: Uint8Array;
  readonly refusal: Refusal;
  /** How many outcomes the receipt has; 1 for a batch that could not be read. */
  readonly itemCount: number;
}
