/** What the sessions of a gateway share: its keys, its clock, the authority's statements, the courier, the counts. */
import { randomBytes } from 'node:crypto';
import type { UnixMs } from '../protocol/brands.js';
import type { Clock } from '../protocol/clock.js';
import type { Signer } from '../protocol/ed25519.js';
import { ENTRY_TYPE } from '../protocol/entry.js';
import { FirebreakError } from '../protocol/errors.js';
import type { GatewayRefusal } from '../protocol/errors.js';
import { decodeGatewayCertificate, verifyGatewayCertificate } from '../protocol/gateway-certificate.js';
import type { GatewayCertificate } from '../protocol/gateway-certificate.js';
import { signHello } from '../protocol/hello.js';
import { partyIdOf } from '../protocol/keys.js';
import type { RefreshKind } from '../protocol/refresh.js';
import { checkReport } from '../protocol/report-check.js';
import { dayOf } from '../protocol/time.js';
import type { EntryPost, PackSource } from './gateway.js';
import type { StatementBook } from './statement-book.js';

const NONCE_BYTES = 16;
const NOTHING = new Uint8Array(0);

export interface DeskDeps {
  readonly signer: Signer;
  /** The newest certificate; it may be replaced while the gateway runs. */
  readonly certificate: () => Uint8Array;
  readonly issuerPublicKey: Uint8Array;
  readonly retentionDays: number;
  readonly book: StatementBook;
  readonly courier: EntryPost;
  readonly packs: PackSource | undefined;
  readonly clock: Clock;
}

export class Desk {
  readonly gatewayId: Uint8Array;
  readonly signer: Signer;
  readonly counts = { accepted: 0, refused: new Map<GatewayRefusal, number>() };
  readonly #deps: DeskDeps;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
    this.signer = deps.signer;
    this.gatewayId = partyIdOf(deps.signer.publicKey);
  }

  nowMs(): UnixMs {
    return this.#deps.clock.nowMs();
  }

  freshNonce(): Uint8Array {
    return new Uint8Array(randomBytes(NONCE_BYTES));
  }

  /** Throws `busy` when the gateway has no right, or no day keys, to greet with. */
  hello(nonce: Uint8Array): Uint8Array {
    const timeMs = this.nowMs();
    const day = dayOf(timeMs / 1000);
    const [today, yesterday] = [this.#deps.book.statementOf(day), this.#deps.book.statementOf(day - 1)];
    if (this.trouble() !== undefined || today === undefined || yesterday === undefined) {
      throw new FirebreakError('busy', 'the gateway cannot greet tags now');
    }
    return signHello(this.signer, { certificate: this.certificate(), timeMs, nonce, today, yesterday });
  }

  certificate(): GatewayCertificate {
    return decodeGatewayCertificate(this.#deps.certificate());
  }

  /** Why no tag can be served now, in words; undefined when all is well. */
  trouble(): string | undefined {
    const { book, issuerPublicKey } = this.#deps;
    const nowMs = this.nowMs();
    const day = dayOf(nowMs / 1000);
    if (book.isRevokedAt(nowMs)) return 'the authority has revoked this gateway';
    if (!verifyGatewayCertificate(issuerPublicKey, this.certificate(), day))
      return 'its certificate does not hold today';
    const missing = [day, day - 1].filter((needed) => book.statementOf(needed) === undefined);
    if (missing.length > 0) return 'the authority’s day keys have not arrived';
    return undefined;
  }

  /** Throws the refusal. */
  check(report: Uint8Array, nonce: Uint8Array, receivedAtMs: number): void {
    const { issuerPublicKey, retentionDays } = this.#deps;
    checkReport(report, { issuerPublicKey, retentionDays, receivedAtMs, gatewayId: this.gatewayId, nonce });
  }

  /** Resolves when the report is on disk. Throws `full`, for which the tag is told `busy`. */
  async keep(report: Uint8Array, receivedAtMs: UnixMs): Promise<void> {
    await this.#deps.courier.post([{ type: ENTRY_TYPE.tagReport, timeMs: receivedAtMs, payload: report }]);
  }

  async refresh(what: RefreshKind): Promise<Uint8Array> {
    if (what === 'notices') return this.#deps.book.notice;
    return (await this.#deps.packs?.packFor()) ?? NOTHING;
  }

  count(refusal: GatewayRefusal | undefined): void {
    if (refusal === undefined) this.counts.accepted += 1;
    else this.counts.refused.set(refusal, (this.counts.refused.get(refusal) ?? 0) + 1);
  }
}
