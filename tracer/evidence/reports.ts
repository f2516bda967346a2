/** The logged things of a bundle, each held against the checkpoint and opened with its own shared secret (protocol.md §11). */
import type { TagNumber } from '../../protocol/brands.js';
import { equalBytes } from '../../protocol/bytes.js';
import type { Checkpoint } from '../../protocol/tlog/checkpoint.js';
import { decodeEntry, ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import type { LedgerEntry } from '../../protocol/tlog/entry.js';
import type { EvidenceBundle } from '../../protocol/evidence/bundle.js';
import type { LoggedEvidence, ProvenEvidence } from '../../protocol/evidence/logged.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { partyIdOf } from '../../protocol/keys.js';
import { checkInclusion, leafHash } from '../../protocol/tlog/merkle.js';
import type { RecordedQuestion } from '../../protocol/payload/access-question.js';
import { readAccessQuestion } from '../../protocol/payload/access.js';
import { checkReport } from '../../protocol/tag/report-check.js';
import { readReport } from '../../protocol/tag/report-open.js';
import type { ReportPlaintext } from '../../protocol/tag/report-plaintext.js';
import type { NameBook } from './names.js';
import { inPlace, requireEvidence } from './refusal.js';

export interface RecordedLook {
  readonly index: number;
  readonly entry: LedgerEntry;
  readonly record: RecordedQuestion;
}

export interface CitedReport {
  readonly index: number;
  readonly entry: LedgerEntry;
  /** Whoever signed it, by the authority's word. */
  readonly reporter: TagNumber;
  readonly plaintext: ReportPlaintext;
}

/**
 * The look this bundle answers. Throws `format`, `proof`, `sealing`, or `evidence` when it is no look, or not recorded by
 * whose key the bundle carries.
 */
export function openLook(bundle: EvidenceBundle, checkpoint: Checkpoint): RecordedLook {
  const { access, tracerPublicKey } = bundle;
  return inPlace(`the look, entry ${access.index}`, () => {
    const entry = openEntry(access, checkpoint, ENTRY_TYPE.access);
    requireEvidence(
      equalBytes(entry.source, partyIdOf(tracerPublicKey)),
      'it was not written with the key that signs the bundle',
    );
    return { index: access.index, entry, record: readAccessQuestion(access.payload, access.sharedSecret) };
  });
}

/**
 * The cited reports, in order; each is worked on between two pauses. Throws what {@link checkReport} and {@link readReport} throw, `format` or `proof` for what is
 * not in the log, and `evidence` for a report logged after the look, out of order, or of a copied tag.
 */
export function* openReports(
  bundle: EvidenceBundle,
  checkpoint: Checkpoint,
  look: RecordedLook,
  names: NameBook,
): Generator<void, CitedReport[], undefined> {
  const seqs = new Set<string>();
  const reports: CitedReport[] = [];
  for (const [place, report] of bundle.reports.entries()) {
    const opened = inPlace(`report ${place}, entry ${report.index}`, () => {
      const before = bundle.reports[place - 1]?.index ?? -1;
      requireEvidence(before < report.index, 'it is out of order');
      requireEvidence(report.index < look.index, 'it was logged after the look');
      const cited = openReport(report, bundle, checkpoint, names);
      const seq = `${cited.reporter}/${cited.plaintext.seq}`;
      requireEvidence(!seqs.has(seq), 'another report of the same tag has the same sequence number');
      seqs.add(seq);
      return cited;
    });
    reports.push(opened);
    yield;
  }
  return reports;
}

function openReport(
  logged: LoggedEvidence,
  { issuerPublicKey, retentionDays }: EvidenceBundle,
  checkpoint: Checkpoint,
  names: NameBook,
): CitedReport {
  const entry = openEntry(logged, checkpoint, ENTRY_TYPE.tagReport);
  const envelope = checkReport(logged.payload, {
    issuerPublicKey,
    retentionDays,
    receivedAtMs: entry.sourceTimeMs,
    gatewayId: entry.source,
  });
  const plaintext = readReport(envelope, logged.sharedSecret);
  const { tag: reporter, epoch } = names.nameOf(envelope.credential.ephId);
  requireEvidence(
    epoch === envelope.credential.epoch,
    'its sender is named in another epoch than its credential is of',
  );
  return { index: logged.index, entry, reporter, plaintext };
}

/**
 * The entry, which is in the log and of this type, and whose payload the bundle carries. Throws `format`, `proof` or
 * `evidence` when it is not.
 */
export function openEntry(
  { index, entry: bytes, proof, payload }: ProvenEvidence,
  { size, root }: Checkpoint,
  type: number,
): LedgerEntry {
  const entry = decodeEntry(bytes);
  checkInclusion(proof, { index, size, leaf: leafHash(bytes), root });
  requireEvidence(entry.type === type, `an entry of type ${entry.type}, not ${type}`);
  requireEvidence(
    entry.payloadLength === payload.length && equalBytes(entry.payloadSha256, sha256(payload)),
    'its payload is not the one that the entry names',
  );
  return entry;
}
