/** A gateway for tests that answers on a Link without any air, keeps what it accepts, and misbehaves on request. */
import { asUnixMs } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { GatewayRefusal } from '../../protocol/errors.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { issueGatewayCertificate } from '../../protocol/session/gateway-certificate.js';
import { signHello } from '../../protocol/session/hello.js';
import { partyIdOf } from '../../protocol/keys.js';
import { decodeRefreshRequest, encodeRefreshSlice } from '../../protocol/session/refresh.js';
import type { RefreshKind } from '../../protocol/session/refresh.js';
import { checkReport } from '../../protocol/tag/report-check.js';
import { reportHash } from '../../protocol/tag/report.js';
import { signTagReceipt } from '../../protocol/session/tag-receipt.js';
import { dayOf } from '../../protocol/time.js';
import { decodeUploadHeader, UploadAssembler } from '../../protocol/session/upload.js';
import type { Characteristic, Link } from '../../radio/contract.js';
import { seededRandom } from '../../radio/random.js';
import type { TestAuthority } from './test-authority.js';

export interface TestGateway {
  /** Accepted reports, in order. */
  readonly reports: Uint8Array[];
  /** Everything uploaded whole, accepted or not. */
  readonly uploads: Uint8Array[];
  readonly faults: {
    /** Takes reports and never answers. */
    mute: boolean;
    /** Breaks the connection after so many writes of an upload. */
    breakAfterWrites: number | undefined;
    refuse: GatewayRefusal | undefined;
    /** Signs receipts with another key. */
    forge: boolean;
    payloadBytes: number;
    clockErrorMs: number;
    /** Called at each write of an upload. */
    onWrite: () => void;
  };
  refresh: { pack?: Uint8Array; notices?: Uint8Array };
  connect(): Link;
  hello(): Uint8Array;
}

export function testGateway(authority: TestAuthority, nowMs: () => number, seed = 'gateway'): TestGateway {
  const random = seededRandom(seed);
  const signer = fastSigner(random.fork('key').bytes(32));
  const stranger = fastSigner(random.fork('stranger').bytes(32));
  const gatewayId = partyIdOf(signer.publicKey);
  const faults: TestGateway['faults'] = {
    mute: false,
    breakAfterWrites: undefined,
    refuse: undefined,
    forge: false,
    payloadBytes: 244,
    clockErrorMs: 0,
    onWrite: () => {},
  };
  const reports: Uint8Array[] = [];
  const uploads: Uint8Array[] = [];
  const clockMs = (): number => nowMs() + faults.clockErrorMs;

  function helloWith(nonce: Uint8Array): Uint8Array {
    const today = dayOf(clockMs() / 1000);
    const certificate = issueGatewayCertificate(authority.issuer, {
      gatewayPublicKey: signer.publicKey,
      fromDay: today - 1,
      toDay: today + 5,
    });
    const statements = { today: authority.statement(today), yesterday: authority.statement(today - 1) };
    return signHello(signer, { certificate, timeMs: asUnixMs(clockMs()), nonce, ...statements });
  }

  function verdict(report: Uint8Array, nonce: Uint8Array): GatewayRefusal | undefined {
    if (faults.refuse !== undefined) return faults.refuse;
    const issuerPublicKey = authority.issuer.publicKey;
    checkReport(report, { issuerPublicKey, receivedAtMs: clockMs(), retentionDays: 21, gatewayId, nonce });
    reports.push(report);
    return undefined;
  }

  function receiptFor(report: Uint8Array, nonce: Uint8Array): Uint8Array {
    const receivedAtMs = asUnixMs(clockMs());
    const refusal = verdict(report, nonce);
    const receipt = { gatewayId, reportHash: reportHash(report), receivedAtMs, refusal };
    return signTagReceipt(faults.forge ? stranger : signer, receipt);
  }

  const gateway: TestGateway = {
    reports,
    uploads,
    faults,
    refresh: {},
    hello: () => helloWith(random.bytes(16)),
    connect: () => {
      const nonce = random.bytes(16);
      let onNotify: ((value: Uint8Array) => void) | undefined;
      let assembler: UploadAssembler | undefined;
      let asked: { what: RefreshKind; offset: number } | undefined;
      let writes = 0;
      let end = (): void => {};
      let isClosed = false;
      const closed = new Promise<void>((resolve) => (end = resolve));
      const requireOpen = (): void => {
        if (isClosed) throw new FirebreakError('closed', 'the link is closed');
      };
      const upload = (value: Uint8Array): void => {
        writes += 1;
        faults.onWrite();
        if (writes === faults.breakAfterWrites) {
          isClosed = true;
          end();
          throw new FirebreakError('closed', 'the link broke');
        }
        if (assembler === undefined) {
          assembler = new UploadAssembler(decodeUploadHeader(value));
          return;
        }
        const report = assembler.add(value);
        if (report === undefined) return;
        assembler = undefined;
        uploads.push(report);
        if (!faults.mute) onNotify?.(receiptFor(report, nonce));
      };
      const link: Link = {
        payloadBytes: faults.payloadBytes,
        closed,
        read: async (characteristic: Characteristic) => {
          requireOpen();
          if (characteristic === 'hello') return helloWith(nonce);
          const whole = (asked && gateway.refresh[asked.what]) ?? new Uint8Array(0);
          return encodeRefreshSlice(whole, asked?.offset ?? 0);
        },
        write: async (characteristic, value) => {
          requireOpen();
          if (value.length > faults.payloadBytes) throw new FirebreakError('size', 'too long');
          if (characteristic === 'refresh') asked = decodeRefreshRequest(value);
          else upload(value);
        },
        subscribe: async (_characteristic, listener) => {
          requireOpen();
          onNotify = listener;
        },
        close: async () => {
          isClosed = true;
          end();
        },
      };
      return link;
    },
  };
  return gateway;
}
