/**
 * What the log has of the authority's own words, for an authority whose folder was put back from an older copy: the number of
 * its newest notice, the newest notices, the gateways it certified and revoked. Only what the issuer signed counts, so that
 * a ledger can invent none of it.
 */
import { toHex } from '../../protocol/bytes.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { FirebreakError } from '../../protocol/errors.js';
import {
  decodeGatewayCertificate,
  verifyGatewayCertificate,
} from '../../protocol/session/gateway-certificate.js';
import type { GatewayCertificate } from '../../protocol/session/gateway-certificate.js';
import { partyIdOf } from '../../protocol/keys.js';
import { openNotice } from '../../protocol/tag/notice.js';
import { withinBounds } from '../../protocol/tag/notice-list.js';
import { decodeGatewayPayload } from '../../protocol/payload/gateway.js';
import { decodeNoticePayload } from '../../protocol/payload/notice.js';
import { openRevocation } from '../../protocol/session/revocation.js';

export interface OwnWords {
  /** 0 when the log has none. */
  readonly lastNotice: number;
  /** As many of the newest as tags are ever offered, oldest first; one that is in the log twice is here once. */
  readonly notices: readonly Uint8Array[];
  /** The one that holds longest, of each gateway. */
  readonly certificates: readonly GatewayCertificate[];
  /** The earliest of each gateway. */
  readonly revocations: readonly Uint8Array[];
}

interface Revoked {
  readonly fromMs: number;
  readonly bytes: Uint8Array;
}

export class LoggedWords {
  readonly source: Uint8Array;
  readonly #issuerPublicKey: Uint8Array;
  readonly #certificates = new Map<string, GatewayCertificate>();
  readonly #revocations = new Map<string, Revoked>();
  #notices: readonly { readonly number: number; readonly bytes: Uint8Array }[] = [];
  #isWhole = false;

  constructor(issuerPublicKey: Uint8Array) {
    this.#issuerPublicKey = issuerPublicKey;
    this.source = partyIdOf(issuerPublicKey);
  }

  /** A payload of the issuer's of type 3 or 8. What the issuer did not sign, or nobody can read, is passed over. */
  take(type: number, payload: Uint8Array): void {
    try {
      if (type === ENTRY_TYPE.notices) this.#takeNotice(decodeNoticePayload(payload).notice);
      else this.#takeGateway(payload);
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
    }
  }

  /** All that the log had when this process first read it was taken. */
  noteWhole(): void {
    this.#isWhole = true;
  }

  /** `undefined` until the log was read once. */
  words(): OwnWords | undefined {
    if (!this.#isWhole) return undefined;
    return {
      lastNotice: this.#notices[0]?.number ?? 0,
      notices: this.#notices.map(({ bytes }) => bytes).toReversed(),
      certificates: [...this.#certificates.values()],
      revocations: [...this.#revocations.values()].map(({ bytes }) => bytes),
    };
  }

  #takeNotice(bytes: Uint8Array): void {
    const { number } = openNotice(bytes, this.#issuerPublicKey);
    const others = this.#notices.filter((known) => known.number !== number);
    const newestFirst = [{ number, bytes }, ...others].sort((a, b) => b.number - a.number);
    this.#notices = withinBounds(newestFirst, (one) => one.bytes.length);
  }

  #takeGateway(payload: Uint8Array): void {
    const told = decodeGatewayPayload(payload);
    if (told.kind === 'revoked') {
      const { gatewayId, fromMs } = openRevocation(told.revocation, this.#issuerPublicKey);
      const id = toHex(gatewayId);
      if (fromMs < (this.#revocations.get(id)?.fromMs ?? Infinity))
        this.#revocations.set(id, { fromMs, bytes: told.revocation });
      return;
    }
    const certificate = decodeGatewayCertificate(told.certificate);
    if (!verifyGatewayCertificate(this.#issuerPublicKey, certificate, certificate.fromDay)) return;
    const id = toHex(partyIdOf(certificate.gatewayPublicKey));
    if (certificate.toDay > (this.#certificates.get(id)?.toDay ?? -1))
      this.#certificates.set(id, certificate);
  }
}
