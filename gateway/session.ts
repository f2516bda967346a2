/**
 * One tag's session, the gateway's side (protocol.md §7): hello with a nonce of its own, uploads put together and
 * checked, a signed receipt for each once the report is on disk, notices and packs in slices. It ends with the epoch.
 * The radio is behind `peer`; time, randomness and the spool come in with the desk.
 */
import type { UnixMs } from '../protocol/brands.js';
import { toHex } from '../protocol/bytes.js';
import { FirebreakError, GATEWAY_REFUSALS } from '../protocol/errors.js';
import type { GatewayRefusal } from '../protocol/errors.js';
import { joinNotices } from '../protocol/tag/notice-list.js';
import { decodeRefreshRequest, encodeRefreshSlice } from '../protocol/session/refresh.js';
import type { RefreshKind, RefreshRequest } from '../protocol/session/refresh.js';
import { REPORT_KINDS, reportHash } from '../protocol/tag/report.js';
import { signTagReceipt } from '../protocol/session/tag-receipt.js';
import { decodeUploadHeader, UploadAssembler } from '../protocol/session/upload.js';
import type { UploadHeader } from '../protocol/session/upload.js';
import type { Characteristic, ServerPeer, ServerSession } from '../radio/contract.js';
import type { Desk } from './desk.js';
import { MAX_REPORTS } from './report-quota.js';

interface Refreshing {
  readonly request: RefreshRequest;
  /** What is being handed out, from the first slice on: the next notices or pack must not be mixed into it. */
  readonly whole: Uint8Array | undefined;
}

export class GatewaySession implements ServerSession {
  readonly #desk: Desk;
  readonly #peer: ServerPeer;
  readonly #nonce: Uint8Array;
  readonly #epoch: number;
  /** When each report of this session was received, by hash. */
  readonly #accepted = new Map<string, UnixMs>();
  readonly #onEnd: (wasBroken: boolean) => void;
  /** From the header of an upload until its receipt has gone out. */
  #isUnanswered = false;
  #upload: UploadAssembler | undefined;
  #refreshing: Refreshing | undefined;
  /** The request of kind 3 uploaded in this session: a pack is handed out for it and for no other (docs/protocol.md). */
  #request: Uint8Array | undefined;

  /** `onEnd` is told whether the tag was left without a receipt. */
  constructor(desk: Desk, peer: ServerPeer, onEnd: (wasBroken: boolean) => void) {
    this.#desk = desk;
    this.#peer = peer;
    this.#nonce = desk.freshNonce();
    this.#epoch = desk.epoch();
    this.#onEnd = onEnd;
  }

  async onRead(characteristic: Characteristic): Promise<Uint8Array> {
    await this.#requireEpoch();
    if (characteristic === 'hello') return this.#desk.hello(this.#nonce);
    if (characteristic === 'refresh') return this.#slice();
    throw new FirebreakError('format', `${characteristic} cannot be read`);
  }

  async onWrite(characteristic: Characteristic, value: Uint8Array): Promise<void> {
    await this.#requireEpoch();
    if (characteristic === 'upload') return this.#receive(value);
    if (characteristic !== 'refresh')
      throw new FirebreakError('format', `${characteristic} cannot be written`);
    this.#ask(decodeRefreshRequest(value));
  }

  onClosed(): void {
    this.#upload = undefined;
    this.#refreshing = undefined;
    this.#onEnd(this.#isUnanswered);
  }

  /** Whether its epoch is over: the tag comes again under its next address (§7). */
  isOver(): boolean {
    return this.#desk.epoch() !== this.#epoch;
  }

  /** Nothing of one session may link two epochs. */
  async #requireEpoch(): Promise<void> {
    if (!this.isOver()) return;
    await this.#peer.disconnect();
    throw new FirebreakError('epoch', 'the epoch ended, and the session with it');
  }

  #ask(request: RefreshRequest): void {
    const held = this.#refreshing;
    const goesOn = request.offset > 0 && held?.request.what === request.what;
    this.#refreshing = { request, whole: goesOn ? held?.whole : undefined };
  }

  async #slice(): Promise<Uint8Array> {
    if (this.#refreshing === undefined)
      throw new FirebreakError('format', 'say what to refresh before reading it');
    const { request } = this.#refreshing;
    const whole = this.#refreshing.whole ?? (await this.#whole(request.what));
    this.#refreshing = { request, whole };
    return encodeRefreshSlice(whole, request.offset);
  }

  async #whole(what: RefreshKind): Promise<Uint8Array> {
    if (what === 'notices') return joinNotices(this.#desk.notices());
    return this.#request ? this.#desk.pack(this.#request) : new Uint8Array(0);
  }

  /**
   * The first write of an upload is its header, and whatever follows up to the announced length is the report: a tag
   * that gave up half-way has to begin another session. What does not come out right is refused with a receipt; a first
   * write that is no header names no report to refuse.
   */
  async #receive(value: Uint8Array): Promise<void> {
    const upload = this.#upload;
    const header = upload?.header ?? decodeUploadHeader(value);
    this.#isUnanswered = true;
    const outcome = await (upload ? this.#add(upload, value) : this.#begin(header));
    if (outcome === 'unfinished') return;
    await this.#answer(header.reportHash, outcome);
  }

  #begin(header: UploadHeader): 'unfinished' | GatewayRefusal {
    try {
      this.#upload = new UploadAssembler(header);
      return 'unfinished';
    } catch (error) {
      return this.#refusalOf(error);
    }
  }

  /** The refusal, undefined for a report that is on disk now. */
  async #add(upload: UploadAssembler, value: Uint8Array): Promise<'unfinished' | GatewayRefusal | undefined> {
    try {
      const report = upload.add(value);
      if (report === undefined) return 'unfinished';
      this.#upload = undefined;
      return await this.#take(report);
    } catch (error) {
      this.#upload = undefined;
      return this.#refusalOf(error);
    }
  }

  #refusalOf(error: unknown): GatewayRefusal {
    const refusal = gatewayRefusalOf(error);
    this.#desk.count(refusal);
    return refusal;
  }

  /** Resolves once the report is on disk. Throws with the reason for which it is not. */
  async #take(report: Uint8Array): Promise<undefined> {
    const hash = toHex(reportHash(report));
    if (this.#accepted.has(hash)) return; // the same report twice is one report (§8)
    if (this.#accepted.size >= MAX_REPORTS) throw new FirebreakError('busy', 'enough for one session');
    const receivedAtMs = this.#desk.nowMs();
    const kind = this.#desk.check(report, this.#nonce, receivedAtMs);
    if (kind === REPORT_KINDS.request) this.#request = report;
    else await this.#desk.keep(report, receivedAtMs);
    this.#accepted.set(hash, receivedAtMs);
    this.#desk.count(undefined);
  }

  async #answer(hash: Uint8Array, refusal: GatewayRefusal | undefined): Promise<void> {
    const { signer, gatewayId } = this.#desk;
    const receivedAtMs = this.#accepted.get(toHex(hash)) ?? this.#desk.nowMs();
    const receipt = { gatewayId, reportHash: hash, receivedAtMs, refusal };
    await this.#peer.notify('receipt', signTagReceipt(signer, receipt));
    this.#isUnanswered = false;
  }
}

/** What is not a reason of its own is the gateway's trouble: the tag comes again. */
function gatewayRefusalOf(error: unknown): GatewayRefusal {
  const code = error instanceof FirebreakError ? error.code : 'busy';
  return GATEWAY_REFUSALS.find((refusal) => refusal === code) ?? 'busy';
}
