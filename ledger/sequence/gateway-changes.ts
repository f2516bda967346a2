/**
 * What the entries of one commit change about gateways: their records once the commit is stored, and whether
 * a gateway is still certified for an item. That was asked when the batch was checked too, but a revocation
 * may have come into the log since, and whoever reads the log judges by the order in it (protocol.md §8).
 * Pure.
 */
import { toHex } from '../../protocol/bytes.js';
import type { Refusal } from '../../protocol/errors.js';
import { partyIdOf } from '../../protocol/keys.js';
import type { GatewayStatement } from './checked-batch.js';
import { certifiedAt, withCertificate, withRevocation, type GatewayRecord } from '../store/gateway-record.js';

export interface GatewayRules {
  /** What is known of a gateway as of the last commit. */
  readonly find: (gatewayId: Uint8Array) => GatewayRecord | undefined;
  /** Whether the writer writes by the configuration, whatever the issuer says of it. */
  readonly isConfigured: (writerId: Uint8Array) => boolean;
}

export class GatewayChanges {
  readonly #rules: GatewayRules;
  readonly #changed = new Map<string, GatewayRecord>();
  /** The writer last asked for: items come batch by batch. */
  #asked: { readonly writerId: Uint8Array; readonly record: GatewayRecord | undefined } | undefined;

  constructor(rules: GatewayRules) {
    this.#rules = rules;
  }

  /** The records that this commit changes, as it leaves them. */
  get changed(): readonly GatewayRecord[] {
    return [...this.#changed.values()];
  }

  /** Why the log as it stands does not take an item that this writer received at `timeMs`, if so. */
  refusalOf(writerId: Uint8Array, timeMs: number): Refusal | undefined {
    if (this.#asked?.writerId !== writerId) {
      const record = this.#rules.isConfigured(writerId) ? undefined : this.#recordOf(writerId);
      this.#asked = { writerId, record };
    }
    const { record } = this.#asked;
    return record === undefined || certifiedAt(record, timeMs) ? undefined : 'certificate';
  }

  /** Notes what an entry that is appended says. */
  take(statement: GatewayStatement): void {
    const gatewayId = statement.kind === 'enrolled' ? partyIdOf(statement.publicKey) : statement.gatewayId;
    const record = this.#recordOf(gatewayId);
    const next =
      statement.kind === 'enrolled'
        ? withCertificate(record, statement.publicKey, statement)
        : withRevocation(record, gatewayId, statement.fromMs);
    this.#changed.set(toHex(gatewayId), next);
    this.#asked = undefined;
  }

  #recordOf(gatewayId: Uint8Array): GatewayRecord | undefined {
    return this.#changed.get(toHex(gatewayId)) ?? this.#rules.find(gatewayId);
  }
}
