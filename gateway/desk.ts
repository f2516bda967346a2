/** What the sessions of a gateway share: its keys, its clock, the authority's statements, the courier, the counts. */
import { randomBytes } from 'node:crypto';
import { isToldByDoubling } from '../host/limited-log.js';
import type { UnixMs } from '../protocol/brands.js';
import { equalBytes } from '../protocol/bytes.js';
import type { Clock } from '../protocol/clock.js';
import type { Signer } from '../protocol/crypto/ed25519.js';
import { ENTRY_TYPE } from '../protocol/tlog/entry.js';
import { asError, FirebreakError } from '../protocol/errors.js';
import type { GatewayRefusal } from '../protocol/errors.js';
import type { GatewayCertificate } from '../protocol/session/gateway-certificate.js';
import { signHello } from '../protocol/session/hello.js';
import { partyIdOf } from '../protocol/keys.js';
import type { Log } from '../protocol/log.js';
import { checkReport } from '../protocol/tag/report-check.js';
import { REPORT_KINDS } from '../protocol/tag/report.js';
import type { ReportKind } from '../protocol/tag/report.js';
import { dayOf, epochOf } from '../protocol/time.js';
import type { EntryPost } from './entry-post.js';
import type { PackSource } from './gateway.js';
import { dateOf, judgeCertificate } from './own-certificate.js';
import type { JudgedCertificate } from './own-certificate.js';
import { ReportQuota } from './report-quota.js';
import type { StatementBook } from './statement-book.js';

const NONCE_BYTES = 16;
const NOTHING = new Uint8Array(0);

export interface DeskDeps {
  readonly signer: Signer;
  /** The newest certificate; it may be replaced while the gateway runs. */
  readonly certificate: () => Uint8Array;
  readonly issuerPublicKey: Uint8Array;
  readonly retentionDays: number;
  /** The first day for which the authority makes no keys any more; undefined while none is set. */
  readonly sunsetDay?: number | undefined;
  readonly book: StatementBook;
  readonly courier: EntryPost;
  readonly packs: PackSource | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** What was judged, and for which day: verifying it at each exchange would cost as much as verifying a report. */
interface LastJudged {
  readonly bytes: Uint8Array;
  readonly day: number;
  readonly judged: JudgedCertificate;
}

export class Desk {
  readonly gatewayId: Uint8Array;
  readonly signer: Signer;
  readonly counts = { accepted: 0, refused: new Map<GatewayRefusal, number>() };
  readonly #deps: DeskDeps;
  readonly #quota = new ReportQuota();
  #lastJudged: LastJudged | undefined;
  /** Reports in a row that could not be kept. */
  #notKept = 0;
  #whyNotKept: string | undefined;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
    this.signer = deps.signer;
    this.gatewayId = partyIdOf(deps.signer.publicKey);
  }

  nowMs(): UnixMs {
    return this.#deps.clock.nowMs();
  }

  epoch(): number {
    return epochOf(this.nowMs() / 1000);
  }

  freshNonce(): Uint8Array {
    return new Uint8Array(randomBytes(NONCE_BYTES));
  }

  /** Throws `busy` when the gateway has no right, or no day keys, to greet with. */
  hello(nonce: Uint8Array): Uint8Array {
    const timeMs = this.nowMs();
    const day = dayOf(timeMs / 1000);
    const certificate = this.certificate();
    const [today, yesterday] = [this.#deps.book.statementOf(day), this.#deps.book.statementOf(day - 1)];
    if (this.trouble() !== undefined || !certificate || !today || !yesterday)
      throw new FirebreakError('busy', 'the gateway cannot greet tags now');
    return signHello(this.signer, { certificate, timeMs, nonce, today, yesterday });
  }

  /** The newest certificate; undefined when it does not hold today for this gateway. */
  certificate(): GatewayCertificate | undefined {
    return this.#judged().certificate;
  }

  isRevoked(): boolean {
    return this.#deps.book.isRevokedAt(this.nowMs());
  }

  /** Whether the ledger takes what this gateway signs now. */
  mayReport(): boolean {
    return !this.isRevoked() && this.certificate() !== undefined;
  }

  /** Why no tag can be served now, in words; undefined when all is well. */
  trouble(): string | undefined {
    const { book, sunsetDay = Infinity } = this.#deps;
    const day = dayOf(this.nowMs() / 1000);
    if (this.isRevoked()) return 'the authority has revoked this gateway';
    if (day >= sunsetDay && book.statementOf(day) === undefined)
      return `this deployment ended with ${dateOf(sunsetDay - 1)}, and here it is ${dateOf(day)}`;
    const { why } = this.#judged();
    if (why !== undefined) return why;
    const missing = [day, day - 1].filter((needed) => book.statementOf(needed) === undefined);
    if (missing.length > 0)
      return 'the authority’s day keys have not arrived: it publishes them while it runs and the broker can be reached';
    return undefined;
  }

  /** Why the last report that a tag brought could not be kept; undefined when it was. */
  get whyNotKept(): string | undefined {
    return this.#whyNotKept;
  }

  /**
   * What kind of report it is; counts it against its ephemeral ID. Throws the refusal; `busy` when the gateway lost its right
   * to take reports since it said hello, and for an ID that has left enough.
   */
  check(report: Uint8Array, nonce: Uint8Array, receivedAtMs: number): ReportKind {
    const { issuerPublicKey, retentionDays, packs } = this.#deps;
    const { kind, credential } = checkReport(report, {
      issuerPublicKey,
      retentionDays,
      receivedAtMs,
      gatewayId: this.gatewayId,
      nonce,
    });
    const trouble = this.trouble();
    if (trouble !== undefined) throw new FirebreakError('busy', trouble);
    if (kind === REPORT_KINDS.request && packs === undefined)
      throw new FirebreakError('busy', 'this gateway has no way to ask the authority for credentials');
    this.#quota.take(credential.ephId, epochOf(receivedAtMs / 1000));
    return kind;
  }

  /** Resolves when the report is on disk. Throws `busy` when it cannot be kept. */
  async keep(report: Uint8Array, receivedAtMs: UnixMs): Promise<void> {
    const entry = { type: ENTRY_TYPE.tagReport, timeMs: receivedAtMs, payload: report };
    try {
      await this.#deps.courier.post([entry]);
      this.#notKept = 0;
      this.#whyNotKept = undefined;
    } catch (cause) {
      this.#sayNotKept(cause);
      throw new FirebreakError('busy', 'the report cannot be kept now', { cause });
    }
  }

  /** Those on offer to tags, newest first. */
  notices(): readonly Uint8Array[] {
    return this.#deps.book.notices();
  }

  /** The pack that answers this request of kind 3; empty while there is none. */
  async pack(request: Uint8Array): Promise<Uint8Array> {
    return (await this.#deps.packs?.packFor(request)) ?? NOTHING;
  }

  count(refusal: GatewayRefusal | undefined): void {
    if (refusal === undefined) this.counts.accepted += 1;
    else this.counts.refused.set(refusal, (this.counts.refused.get(refusal) ?? 0) + 1);
  }

  /** By doubling: a full spool meets every tag that comes by. */
  #sayNotKept(cause: unknown): void {
    this.#whyNotKept = asError(cause).message;
    const sofar = (this.#notKept += 1);
    if (!isToldByDoubling(sofar)) return;
    const why = String(cause);
    this.#deps.log.warn('a report cannot be kept; the tag is told to come again', { why, sofar });
  }

  #judged(): JudgedCertificate {
    const bytes = this.#deps.certificate();
    const day = dayOf(this.nowMs() / 1000);
    const last = this.#lastJudged;
    if (last?.day === day && equalBytes(last.bytes, bytes)) return last.judged;
    const { issuerPublicKey } = this.#deps;
    const judged = judgeCertificate(bytes, { gatewayPublicKey: this.signer.publicKey, issuerPublicKey, day });
    this.#lastJudged = { bytes: Uint8Array.from(bytes), day, judged };
    return judged;
  }
}
