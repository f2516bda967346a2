/** The part of test/vectors/protocol-v1.json that is about the ledger. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const hex = z.string().transform((text) => new Uint8Array(Buffer.from(text, 'hex')));

export const ledgerVectors = z
  .object({
    gatewaySeed: hex,
    gatewayPublicKey: hex,
    gatewayId: hex,
    gatewayCertificate: hex,
    dayKeyStatement: hex,
    dayKeyStatementYesterday: hex,
    report_one: z.object({ bytes: hex }),
    report_nine: z.object({ bytes: hex }),
    batch: z.object({ seq: z.number(), receivedAtMs: z.array(z.number()), bytes: hex, sha256: hex }),
    entries: z.array(z.object({ bytes: hex, leaf: hex })),
    root: hex,
  })
  .parse(JSON.parse(readFileSync(new URL('../vectors/protocol-v1.json', import.meta.url), 'utf8')));
