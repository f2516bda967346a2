/**
 * One tag's session, the gateway's side (protocol.md §7): hello with a nonce of its own, uploads put together and
 * checked, a signed receipt for each once the report is on disk, notices and packs in slices. The radio is behind
 * `peer`; time, randomness and the spool come in with the desk.
 */
import { asUnixMs } from '../protocol/brands.js';
import { toHex } from '../protocol/bytes.js';
import { FirebreakError, GATEWAY_REFUSALS } from '../protocol/errors.js';
import type { GatewayRefusal } from '../protocol/errors.js';
import { decodeRefreshRequest, encodeRefreshSlice } from '../protocol/refresh.js';
import type { RefreshRequest } from '../protocol/refresh.js';
import { reportHash } from '../protocol/report.js';
import { signTagReceipt } from '../protocol/tag-receipt.js';
import { decodeUploadHeader, UploadAssembler } from '../protocol/upload.js';
import type { Characteristic, ServerPeer, ServerSession } from '../radio/contract.js';
import type { Desk } from './desk.js';

export class GatewaySession implements ServerSession {
  readonly #desk: Desk;
  readonly #peer: ServerPeer;
  readonly #nonce: Uint8Array;
  readonly #accepted = new Map<string, number>();
  readonly #onEnd: () => void;
  #upload: UploadAssembler | undefined;
  #refresh: RefreshRequest | undefined;

  constructor(desk: Desk, peer: ServerPeer, onEnd: () => void) {
    this.#desk = desk;
    this.#peer = peer;
    this.#nonce = desk.freshNonce();
    this.#onEnd = onEnd;
  }

  async onRead(characteristic: Characteristic): Promise<Uint8Array> {
    if (characteristic === 'hello') return this.#desk.hello(this.#nonce);
    if (characteristic === 'refresh') return this.#slice();
    throw new FirebreakError('format', `${characteristic} cannot be read`);
  }

  async onWrite(characteristic: Characteristic, value: Uint8Array): Promise<void> {
    if (characteristic === 'upload') return this.#receive(value);
    if (characteristic !== 'refresh')
      throw new FirebreakError('format', `${characteristic} cannot be written`);
    this.#refresh = decodeRefreshRequest(value);
  }

  onClosed(): void {
    this.#upload = undefined;
    this.#onEnd();
  }

  async #slice(): Promise<Uint8Array> {
    if (this.#refresh === undefined)
      throw new FirebreakError('format', 'say what to refresh before reading it');
    const { what, offset } = this.#refresh;
    return encodeRefreshSlice(await this.#desk.refresh(what), offset);
  }

  /** A header begins an upload, also when the one before was never finished. */
  async #receive(value: Uint8Array): Promise<void> {
    if (this.#upload === undefined) {
      this.#upload = new UploadAssembler(decodeUploadHeader(value));
      return;
    }
    const { header } = this.#upload;
    try {
      const report = this.#upload.add(value);
      if (report === undefined) return;
      this.#upload = undefined;
      await this.#answer(reportHash(report), await this.#take(report));
    } catch (error) {
      this.#upload = undefined;
      await this.#answer(header.reportHash, gatewayRefusalOf(error));
    }
  }

  /** Resolves once the report is on disk. Throws with the reason for which it is not. */
  async #take(report: Uint8Array): Promise<undefined> {
    const hash = toHex(reportHash(report));
    if (this.#accepted.has(hash)) return undefined;
    const receivedAtMs = this.#desk.nowMs();
    this.#desk.check(report, this.#nonce, receivedAtMs);
    await this.#desk.keep(report, receivedAtMs);
    this.#accepted.set(hash, receivedAtMs);
    return undefined;
  }

  async #answer(hash: Uint8Array, refusal: GatewayRefusal | undefined): Promise<void> {
    const { signer, gatewayId } = this.#desk;
    const receivedAtMs = asUnixMs(this.#accepted.get(toHex(hash)) ?? this.#desk.nowMs());
    this.#desk.count(refusal);
    await this.#peer.notify(
      'receipt',
      signTagReceipt(signer, { gatewayId, reportHash: hash, receivedAtMs, refusal }),
    );
  }
}

/** What is not a reason of its own is the gateway's trouble: the tag comes again. */
function gatewayRefusalOf(error: unknown): GatewayRefusal {
  const code = error instanceof FirebreakError ? error.code : 'busy';
  return GATEWAY_REFUSALS.find((refusal) => refusal === code) ?? 'busy';
}
