/** `firebreak evidence verify`: what a trace showed, checked on a machine that has nothing else (docs/evidence.md). */
import type { Command } from 'commander';
import { MAX_EVIDENCE_BYTES } from '../../protocol/evidence/bundle.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import {
  NO_WITNESSES,
  openWitnessedCheckpoint,
  readCosignatures,
} from '../../protocol/tlog/witness-policy.js';
import { checkEvidence } from '../../tracer/evidence/check.js';
import { readInputFile } from '../files/input-file.js';
import { POLICY_OPTION, policyOption } from '../files/policy-files.js';
import { evidenceLines } from '../present/show-evidence.js';
import { publicKeyHex } from '../terminal/options.js';
import { verifierKey } from '../terminal/verifier-key.js';

export function addEvidenceCommands(program: Command): void {
  program
    .command('evidence')
    .description('evidence of a trace, as firebreak trace --evidence writes it')
    .command('verify')
    .description('check evidence with the public key of the log and nothing else, and say what it shows')
    .argument('<file>', 'the evidence')
    .requiredOption('--vkey <key>', 'the log’s public key, as firebreak ledger vkey prints it', verifierKey)
    .option(
      '--issuer <hex>',
      'the authority’s issuer key, as firebreak.json has it; must be the file’s',
      publicKeyHex,
    )
    .option(...POLICY_OPTION)
    .action((file: string, options: VerifyOptions) => verify(file, options));
}

interface VerifyOptions {
  readonly vkey: NoteVerifier;
  readonly issuer?: Uint8Array;
  readonly policy?: string;
}

async function verify(file: string, { vkey, issuer, policy: policyFile }: VerifyOptions): Promise<void> {
  const { policy } = await policyOption(policyFile);
  const shown = checkEvidence(await readInputFile(file, MAX_EVIDENCE_BYTES), {
    openCheckpoint: (note) => openWitnessedCheckpoint(note, vkey, policy),
    ...(issuer && { issuerPublicKey: issuer }),
  });
  const { cosigned, others } = readCosignatures(shown.note, vkey, policy ?? NO_WITNESSES);
  console.log(evidenceLines(shown, { isIssuerGiven: issuer !== undefined, cosigned, others }).join('\n'));
}
