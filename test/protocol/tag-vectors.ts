/** The part of test/vectors/protocol-v1.json that is about tags, gateways and reports, and what follows from it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import type { DayKeys } from '../../protocol/keys.js';
import type { ReportContext } from '../../protocol/tag/report-check.js';

const hex = z.string().transform((text) => new Uint8Array(Buffer.from(text, 'hex')));
const proof = z.tuple([z.number(), hex]);
const report = z.object({
  plaintext: hex,
  hpkeEphemeralSecretKey: hex,
  seq: z.number(),
  prev: hex,
  bytes: hex,
  sha256: hex,
});
const refused = z.record(z.string(), z.object({ bytes: hex, reason: z.string() }));

export const vectors = z
  .object({
    day: z.number(),
    epoch: z.number().transform(asEpoch),
    minute: z.number(),
    issuerSeed: hex,
    issuerPublicKey: hex,
    issuerId: hex,
    idKey: hex,
    macKey: hex,
    sealingSecretKey: hex,
    sealingPublicKey: hex,
    tagSecret: hex,
    tagSecretNextDay: hex,
    epochSeed: hex,
    tagA: z.number().transform(asTagNumber),
    tagB: z.number().transform(asTagNumber),
    ephIdA: hex,
    ephIdB: hex,
    authKeyB: hex,
    epochPublicKeyA: hex,
    beaconB: hex,
    beaconBTxPower: z.number(),
    advertB: hex,
    credentialA: hex,
    recordB: hex,
    recordBFields: z.object({
      eph: hex,
      start: z.number(),
      duration: z.number(),
      samples: z.number(),
      seconds: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      minAtt: z.number(),
      medAtt: z.number(),
      tx: z.number(),
      proofA: proof,
      proofB: proof,
    }),
    gatewaySeed: hex,
    gatewayPublicKey: hex,
    gatewayId: hex,
    gatewayNonce: hex,
    receivedAt: z.number(),
    gatewayCertificate: hex,
    dayKeyStatement: hex,
    dayKeyStatementYesterday: hex,
    hello: hex,
    report_empty: report,
    report_one: report,
    report_nine: report,
    refusedByGateway: refused,
    refusedByTracer: refused,
    receipt: hex,
  })
  .parse(JSON.parse(readFileSync(new URL('../vectors/protocol-v1.json', import.meta.url), 'utf8')));

/** How protocol-v1.json makes its secrets. */
export function secret(name: string, length = 32): Uint8Array {
  return new Uint8Array(
    createHash('sha256').update(`firebreak vector: ${name}`).digest().subarray(0, length),
  );
}

export const issuer = fastSigner(vectors.issuerSeed);
export const gateway = fastSigner(vectors.gatewaySeed);
export const epochSigner = fastSigner(vectors.epochSeed);

export const dayKeys: DayKeys = {
  day: vectors.day,
  idKey: vectors.idKey,
  macKey: vectors.macKey,
  sealingSecretKey: vectors.sealingSecretKey,
  sealingPublicKey: vectors.sealingPublicKey,
};

export const dayKeysOf = (day: number): DayKeys | undefined => (day === dayKeys.day ? dayKeys : undefined);

/** What the ledger checks the reports of the vectors against. */
export const atTheLedger: ReportContext = {
  issuerPublicKey: vectors.issuerPublicKey,
  receivedAtMs: vectors.receivedAt * 1000,
  retentionDays: 21,
  gatewayId: vectors.gatewayId,
};

/** The session that they are for, at their gateway. */
export const session: ReportContext = { ...atTheLedger, nonce: vectors.gatewayNonce };
