/**
 * Makes test/vectors/protocol-open.json: one vector for each message between tag, gateway and authority that the wire
 * protocol names but leaves open (docs/protocol.md). Secrets are SHA-256("firebreak vector: " || name), cut to length.
 */
import { asEpoch, asUnixMs } from '../../protocol/brands.js';
import { toHex } from '../../protocol/bytes.js';
import { sealCredentialPack, signCredentialPack } from '../../protocol/tag/credential-pack.js';
import { encodeCredentialRequest, signCredentialRequest } from '../../protocol/tag/credential-request.js';
import { decodeCredential, issueCredential } from '../../protocol/tag/credential.js';
import { issueDayKeyStatement } from '../../protocol/session/day-key-statement.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { authKeyOf, makeEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import { encodeGatewayAdvert } from '../../protocol/session/gateway-advert.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { epochSeed } from '../../protocol/keys.js';
import { noticeToken, signNotice } from '../../protocol/tag/notice.js';
import { sealPresenceReport } from '../../protocol/session/presence-report.js';
import { encodeRefreshRequest, encodeRefreshSlice } from '../../protocol/session/refresh.js';
import { REPORT_KINDS, reportHash, sealReport } from '../../protocol/tag/report.js';
import { signRevocation } from '../../protocol/session/revocation.js';
import { signTagReceipt } from '../../protocol/session/tag-receipt.js';
import { EPOCHS_PER_DAY, firstEpochOfDay } from '../../protocol/time.js';
import { uploadWrites } from '../../protocol/session/upload.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { dayKeys, epochSigner, gateway, issuer, secret, vectors as v1 } from './tag-vectors.js';

const { day } = v1;
export const reply = x25519KeyPair(secret('reply'));
const dayEpochs = Array.from({ length: EPOCHS_PER_DAY }, (_, i) => asEpoch(firstEpochOfDay(day) + i));
const epochKeys = dayEpochs.map((epoch) => fastSigner(epochSeed(v1.tagSecret, epoch)));

/** Tag A asks for the credentials of the day of the vectors. */
export const request = {
  replyPublicKey: reply.publicKey,
  firstDay: day,
  days: 1,
  epochPublicKeys: epochKeys.map(({ publicKey }) => publicKey),
};

function requests() {
  const [first = epochSigner] = epochKeys;
  const plaintext = encodeCredentialRequest(request);
  return {
    replySecretKey: toHex(reply.secretKey),
    replyPublicKey: toHex(reply.publicKey),
    firstEpochSeed: toHex(epochSeed(v1.tagSecret, firstEpochOfDay(day))),
    plaintext: toHex(plaintext),
    requestHash: toHex(sha256(plaintext)),
    byWire: toHex(signCredentialRequest(first, request)),
    hpkeEphemeralSecretKey: toHex(secret('request ephemeral')),
    inSession: toHex(requestReport(plaintext, v1.gatewayId, v1.gatewayNonce)),
    renewalByWire: toHex(requestReport(plaintext, new Uint8Array(16), new Uint8Array(16))),
  };
}

const requestReport = (plaintext: Uint8Array, gatewayId: Uint8Array, nonce: Uint8Array) =>
  sealReport({
    kind: REPORT_KINDS.request,
    issuerId: v1.issuerId,
    day,
    sealingPublicKey: v1.sealingPublicKey,
    credential: decodeCredential(v1.credentialA),
    gatewayId,
    nonce,
    plaintext,
    signer: epochSigner,
    ephemeralSecretKey: secret('request ephemeral'),
  });

/** What the authority answers: every credential of the day, issued. */
function signedPack(): Uint8Array {
  const epochs = dayEpochs.map((epoch, i) => {
    const ephId = makeEphemeralId(dayKeys.idKey, v1.tagA, epoch);
    const epochPublicKey = request.epochPublicKeys[i] ?? new Uint8Array(32);
    const { signature } = issueCredential(issuer, { epoch, ephId, epochPublicKey });
    return { ephId, authKey: authKeyOf(dayKeys.macKey, ephId), credentialSignature: signature };
  });
  return signCredentialPack(issuer, {
    requestHash: sha256(encodeCredentialRequest(request)),
    firstDay: day,
    days: [{ statement: issueDayKeyStatement(issuer, day, v1.sealingPublicKey), epochs }],
  });
}

const sealedPack = sealCredentialPack(signedPack(), reply.publicKey, secret('pack ephemeral'));

function refresh() {
  return {
    packHpkeEphemeralSecretKey: toHex(secret('pack ephemeral')),
    pack: toHex(sealedPack),
    askForPack: toHex(encodeRefreshRequest({ what: 'pack', offset: 0 })),
    firstSlice: toHex(encodeRefreshSlice(sealedPack, 0)),
    askForRest: toHex(encodeRefreshRequest({ what: 'pack', offset: 9144 })),
    lastSlice: toHex(encodeRefreshSlice(sealedPack, 9144)),
    pastTheEnd: toHex(encodeRefreshSlice(sealedPack, sealedPack.length)),
    askForNotices: toHex(encodeRefreshRequest({ what: 'notices', offset: 0 })),
    nothing: toHex(encodeRefreshSlice(new Uint8Array(0), 0)),
  };
}

function notice() {
  const firstEphIdB = makeEphemeralId(dayKeys.idKey, v1.tagB, firstEpochOfDay(day));
  const authKey = authKeyOf(dayKeys.macKey, firstEphIdB);
  const tokens = [noticeToken(authKey, 7, 1), secret('notice token 2', 8), secret('notice token 3', 8)];
  const padding = secret('notice padding', 8);
  return {
    number: 7,
    code: 1,
    firstAuthKeyB: toHex(authKey),
    tokens: tokens.map(toHex),
    padding: toHex(padding),
    bytes: toHex(signNotice(issuer, { day, number: 7, code: 1, tokens }, () => padding)),
  };
}

function presence() {
  const { eph, start, duration, samples, minAtt, medAtt, tx, proofA, proofB } = v1.recordBFields;
  const record = {
    ephId: eph,
    start,
    durationSeconds: duration,
    samples,
    minAttenuationDb: minAtt,
    medianAttenuationDb: medAtt,
    peerTxPowerDbm: tx,
    proofA: { minuteOffset: proofA[0], mac: proofA[1] },
    proofB: { minuteOffset: proofB[0], mac: proofB[1] },
  };
  const sealed = sealPresenceReport({
    gateway,
    issuerId: v1.issuerId,
    day,
    sealingPublicKey: v1.sealingPublicKey,
    seq: 3,
    records: [record],
    ephemeralSecretKey: secret('presence ephemeral'),
  });
  return { seq: 3, hpkeEphemeralSecretKey: toHex(secret('presence ephemeral')), bytes: toHex(sealed) };
}

function session() {
  const { bytes } = v1.report_one;
  const receivedAtMs = asUnixMs(v1.receivedAt * 1000);
  const refused = {
    gatewayId: v1.gatewayId,
    reportHash: reportHash(bytes),
    receivedAtMs,
    refusal: 'day' as const,
  };
  return {
    gatewayAdvert: toHex(encodeGatewayAdvert()),
    upload244: uploadWrites(bytes, 244).map(toHex),
    receiptRefusedForItsDay: toHex(signTagReceipt(gateway, refused)),
  };
}

/** The file, as it must be. */
export function tagOpenVectors() {
  const revokedFromMs = 1_728_040_000_000;
  const note =
    "hex strings, integers decimal; secrets are SHA-256('firebreak vector: ' || name), cut to length; keys, IDs and reports not given here are those of protocol-v1.json";
  return {
    note,
    session: session(),
    request: requests(),
    refresh: refresh(),
    notice: notice(),
    revocation: {
      fromMs: revokedFromMs,
      bytes: toHex(signRevocation(issuer, { gatewayId: v1.gatewayId, fromMs: asUnixMs(revokedFromMs) })),
    },
    presence: presence(),
  };
}
