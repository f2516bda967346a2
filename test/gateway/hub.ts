/** A whole gateway on an air in virtual time, and tags that do no more than bring a report. */
import { randomBytes } from 'node:crypto';
import { openGateway } from '../../gateway/gateway.js';
import type { Gateway, GatewayDeps } from '../../gateway/gateway.js';
import { virtualClock } from '../../host/clock-virtual.js';
import { asEpoch, asUnixMs } from '../../protocol/brands.js';
import { concat } from '../../protocol/bytes.js';
import { issueCredential } from '../../protocol/tag/credential.js';
import { encodeDayKeyStatement, issueDayKeyStatement } from '../../protocol/session/day-key-statement.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import {
  encodeGatewayCertificate,
  issueGatewayCertificate,
} from '../../protocol/session/gateway-certificate.js';
import { openHello } from '../../protocol/session/hello.js';
import { issuerIdOf, partyIdOf } from '../../protocol/keys.js';
import { silentLog } from '../../protocol/log.js';
import { encodeReportPlaintext } from '../../protocol/tag/report-plaintext.js';
import { sealReport } from '../../protocol/tag/report.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { signRevocation } from '../../protocol/session/revocation.js';
import { openTagReceipt } from '../../protocol/session/tag-receipt.js';
import type { TagReceipt } from '../../protocol/session/tag-receipt.js';
import { dayOf, epochOf } from '../../protocol/time.js';
import { DAY_KEYS_TOPIC } from '../../protocol/mqtt/topics.js';
import { uploadWrites } from '../../protocol/session/upload.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { openReplayAir } from '../../radio/air/air-replay-hosted.js';
import type { Central, Link } from '../../radio/contract.js';
import type { GattSettings } from '../../radio/air/gatt-connection.js';
import { issuer, NOW_MS, signerOf } from '../ledger/deployment.js';
import { countingSequence, memoryStore, testDownlink, testPost } from './stand.js';

export const hubSigner = signerOf('gateway one');
export const HUB_ADDRESS = 'c0ffee000001';
const TODAY = dayOf(NOW_MS / 1000);
const sealing = x25519KeyPair();

export const hubCertificate = encodeGatewayCertificate(
  issueGatewayCertificate(issuer, {
    gatewayPublicKey: hubSigner.publicKey,
    fromDay: TODAY,
    toDay: TODAY + 6,
  }),
);

/** Of yesterday and today. */
export const hubDayKeys = concat(
  ...[TODAY - 1, TODAY].map((day) =>
    encodeDayKeyStatement(issueDayKeyStatement(issuer, day, sealing.publicKey)),
  ),
);

export async function openHub(changes: Partial<GatewayDeps> = {}, gatt: Partial<GattSettings> = {}) {
  const clock = virtualClock(NOW_MS);
  const air = openReplayAir({ clock, contacts: [], gatt: { maxClients: 1000, ...gatt } });
  const downlink = testDownlink();
  const post = testPost();
  const gateway: Gateway = await openGateway({
    radio: air.join('hub'),
    signer: hubSigner,
    certificate: () => hubCertificate,
    issuerPublicKey: issuer.publicKey,
    settings: DEFAULT_SETTINGS,
    courier: post,
    downlink,
    statements: memoryStore(),
    noticeStore: memoryStore(),
    presence: memoryStore(),
    presenceSequence: countingSequence(),
    clock,
    log: silentLog,
    address: HUB_ADDRESS,
    ...changes,
  });
  downlink.publish(DAY_KEYS_TOPIC, hubDayKeys);
  const { central } = air.join('tags');
  const close = async (): Promise<void> => {
    await gateway.close();
    await air.close();
  };
  return { gateway, clock, central, downlink, post, close };
}

export const hubRevokedFrom = (fromMs: number): Uint8Array =>
  signRevocation(issuer, { gatewayId: partyIdOf(hubSigner.publicKey), fromMs: asUnixMs(fromMs) });

/** A report for the session whose hello this is. */
export function reportFor(hello: ReturnType<typeof openHello>): Uint8Array {
  const signer = fastSigner(randomBytes(32));
  const epoch = asEpoch(epochOf(hello.timeMs / 1000));
  return sealReport({
    issuerId: issuerIdOf(issuer.publicKey),
    day: hello.today.day,
    sealingPublicKey: hello.today.sealingPublicKey,
    credential: issueCredential(issuer, { epoch, ephId: randomBytes(16), epochPublicKey: signer.publicKey }),
    gatewayId: partyIdOf(hello.certificate.gatewayPublicKey),
    nonce: hello.nonce,
    plaintext: encodeReportPlaintext({ seq: 0, prev: new Uint8Array(32), records: [] }),
    signer,
  });
}

/** One tag's visit: hello, one report, its receipt. */
export async function visit(central: Central): Promise<{ report: Uint8Array; receipt: TagReceipt }> {
  const link: Link = await central.connect(HUB_ADDRESS);
  try {
    const hello = openHello(await link.read('hello'), issuer.publicKey);
    const receipts: TagReceipt[] = [];
    await link.subscribe(
      'receipt',
      (bytes) => void receipts.push(openTagReceipt(bytes, hubSigner.publicKey)),
    );
    const report = reportFor(hello);
    for (const write of uploadWrites(report, link.payloadBytes)) await link.write('upload', write);
    const [receipt] = receipts;
    if (receipt === undefined) throw new Error('no receipt');
    return { report, receipt };
  } finally {
    await link.close();
  }
}
