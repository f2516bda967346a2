/**
 * Who may write, and what (protocol.md §9, §10): the configuration names writers, the issuer's entries name
 * gateways.
 */
import { toHex } from '../../protocol/bytes.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { partyIdOf } from '../../protocol/keys.js';
import type { GatewayRecord } from '../store/gateway-record.js';

/** A writer the configuration names, with the entry types it may write. */
export interface ConfiguredWriter {
  readonly publicKey: Uint8Array;
  readonly types: readonly number[];
}

export interface Writer {
  readonly publicKey: Uint8Array;
  readonly types: ReadonlySet<number>;
  /** What the issuer said of it, when it is a gateway. */
  readonly gateway: GatewayRecord | undefined;
}

const GATEWAY_TYPES: ReadonlySet<number> = new Set([ENTRY_TYPE.tagReport, ENTRY_TYPE.presenceReport]);

/** Everyone who may write, as of the last commit. */
export class WriterDirectory {
  readonly #writers = new Map<string, Writer>();
  readonly #gateways = new Map<string, GatewayRecord>();

  constructor(configured: readonly ConfiguredWriter[], gateways: readonly GatewayRecord[]) {
    for (const { publicKey, types } of configured) {
      this.#writers.set(toHex(partyIdOf(publicKey)), {
        publicKey,
        types: new Set(types),
        gateway: undefined,
      });
    }
    for (const record of gateways) this.keep(record);
  }

  /** A configured writer stays what the configuration says, whatever the issuer certifies. */
  find(writerId: Uint8Array): Writer | undefined {
    const id = toHex(writerId);
    const gateway = this.#gateways.get(id);
    const known = this.#writers.get(id);
    if (known !== undefined || gateway === undefined || gateway.runs.length === 0) return known;
    return { publicKey: gateway.publicKey, types: GATEWAY_TYPES, gateway };
  }

  /** Whether the configuration names the writer. */
  isConfigured(writerId: Uint8Array): boolean {
    return this.#writers.has(toHex(writerId));
  }

  gateway(gatewayId: Uint8Array): GatewayRecord | undefined {
    return this.#gateways.get(toHex(gatewayId));
  }

  /** To be called once the record is stored. */
  keep(record: GatewayRecord): void {
    this.#gateways.set(toHex(record.gatewayId), record);
  }

  get gatewayCount(): number {
    return this.#gateways.size;
  }
}
