/** What checked evidence shows, in lines for a person; and what it does not show. Times in UTC: every party reads the same. */
import pc from 'picocolors';
import { toHex } from '../../protocol/bytes.js';
import { partyIdOf } from '../../protocol/keys.js';
import { plain } from '../../protocol/plain-text.js';
import type { CheckedEvidence } from '../../tracer/evidence/check.js';
import type { CheckedPerson, CheckedStep } from '../../tracer/evidence/paths.js';
import type { Copresence } from '../../tracer/evidence/presence.js';
import { nearSecondsOf } from '../../tracer/contact.js';
import type { Contact } from '../../tracer/contact.js';
import type { WitnessedCheckpoint } from '../../protocol/tlog/witness-policy.js';
import { duration, utc } from '../terminal/times.js';
import { count, counted } from './counts.js';
import { cosignedBy } from './show-cosigners.js';

export interface EvidenceContext {
  /** Whether the reader brought the issuer key along. */
  readonly isIssuerGiven: boolean;
  /** Names on further signatures of the checkpoint, by keys that were not given. */
  readonly others: readonly string[];
  /** Witnesses of the reader's policy that cosigned the checkpoint, and when, in unix seconds. */
  readonly cosigned: WitnessedCheckpoint['cosigned'];
}

export function evidenceLines(shown: CheckedEvidence, context: EvidenceContext): string[] {
  const isBackward = shown.request.direction === 'backward';
  return [
    `${pc.green('accepted')} evidence of a trace, in the log ${plain(shown.checkpoint.origin)} of ${entries(shown.checkpoint.size)}`,
    ...questionLines(shown),
    ...(shown.sources
      ? ['', pc.bold('Possible sources'), ...peopleLines(shown.sources, 'last exposure')]
      : []),
    '',
    pc.bold(isBackward ? 'Possible sources' : 'May have been infected'),
    ...peopleLines(shown.reached, isBackward ? 'last exposure' : 'exposure'),
    '',
    pc.bold('Checked, with this file and the key of the log alone'),
    ...checkedLines(shown, context),
    '',
    pc.bold(
      `The word of the health authority (tracer ${toHex(partyIdOf(shown.tracerPublicKey))}), not proved here`,
    ),
    ...wordLines(shown),
  ];
}

/** Of which seconds count. */
const CLASS_WORDS = { immediate: 'immediate', near: 'near', medium: 'at medium distance or nearer' } as const;

const ASKED_WORDS = {
  forward: 'whom it may have infected',
  backward: 'possible sources',
  both: 'possible sources, and whom else they may have infected',
} as const;

function questionLines({ request, look, reached, sources = [] }: CheckedEvidence): string[] {
  const {
    case: indexCase,
    direction,
    hops,
    from,
    to,
    minSeconds,
    latentSeconds,
    infectiousSeconds,
    attenuation = 'near',
    presence,
  } = request;
  const { officer, purpose, reachedCount } = look.record;
  const shown = new Set([...reached, ...sources].map(({ person }) => person)).size;
  const infectious = infectiousSeconds === undefined ? '' : `, for ${duration(infectiousSeconds)}`;
  return [
    `  question  case ${indexCase}: ${ASKED_WORDS[direction]}, within ${counted(hops, 'hop')}, ${utc(from)} to ${utc(to)}`,
    `            close contact: ${duration(minSeconds)} ${CLASS_WORDS[attenuation]} within 24 h${presence ? ', or at one gateway at one time' : ''}`,
    `            passed on from ${duration(latentSeconds)} after exposure${infectious}`,
    `  asked by  ${plain(officer)}: ${plain(purpose)}`,
    `  recorded  as entry ${look.index}, ${utc(Math.floor(look.entry.appendedAtMs / 1000))}, before it was answered`,
    `  answer    ${counted(reachedCount, 'person', 'people')}, ${shown === reachedCount ? 'all' : `${count(shown)} of them`} shown here`,
  ];
}

const entries = (size: number): string => counted(size, 'entry', 'entries');

/** Backward what is known is the latest encounter by which somebody can have infected the next one. */
type Exposure = 'exposure' | 'last exposure';

const peopleLines = (people: readonly CheckedPerson[], exposure: Exposure): string[] =>
  people.length === 0 ? ['  nobody'] : people.flatMap((person) => personLines(person, exposure));

function personLines(shown: CheckedPerson, exposure: Exposure): string[] {
  const { person, hop, exposedAt, earliestAt, score, source, path } = shown;
  const also = earliestAt === exposedAt ? '' : `, by another path ${utc(earliestAt)}`;
  const from = source === undefined ? '' : `, from ${source}`;
  return [
    `  ${pc.bold(person)}  hop ${hop}${from}, ${exposure} ${utc(exposedAt)}${also}, score ${score.toFixed(4)}`,
    ...path.flatMap(stepLines),
  ];
}

function stepLines(step: CheckedStep): string[] {
  const { from, to } = step;
  if ('copresence' in step) return [`    ${from} to ${to}  ${copresenceWords(step.copresence)}`];
  const { contact, supports } = step;
  return [
    `    ${from} to ${to}  ${contactWords(contact)}`,
    ...supports.map((other) => `      and in the 24 h up to then  ${contactWords(other)}`),
  ];
}

function copresenceWords({ start, end, gatewayId, ledger }: Copresence): string {
  return [
    `${utc(start)} to ${utc(end)}`,
    `both at gateway ${toHex(gatewayId)} for ${end - start} s at one time, no contact that either told of`,
    `${entriesWords(ledger)} of that gateway`,
  ].join(', ');
}

const entriesWords = (ledger: readonly number[]): string =>
  `${ledger.length === 1 ? 'entry' : 'entries'} ${ledger.join(' ')}`;

function contactWords(contact: Contact): string {
  const { start, end, bucketSeconds, attenuationDb, mutual, partial, ledger } = contact;
  const buckets = ['immediate', 'near', 'medium', 'other'].map(
    (name, k) => `${bucketSeconds[k] ?? 0} ${name}`,
  );
  return [
    `${utc(start)} to ${utc(end)}`,
    `${nearSecondsOf(contact)} s near (${buckets.join(', ')}; ${attenuationDb} dB)`,
    `told by ${mutual ? 'both' : 'one'}${partial ? ', by one beacon only' : ''}`,
    entriesWords(ledger),
  ].join(', ');
}

function checkedLines(
  { checkpoint, reports, presenceReports, issuerPublicKey }: CheckedEvidence,
  { isIssuerGiven, cosigned, others }: EvidenceContext,
): string[] {
  const witnesses = cosignedBy(cosigned);
  const whose = isIssuerGiven ? 'the one given' : 'as this file has it: compare it, or give --issuer';
  return [
    `  the log’s key signed a checkpoint of ${entries(checkpoint.size)}, root ${toHex(checkpoint.root)}`,
    ...(witnesses === undefined ? [] : [`  ${witnesses}, as the policy asks`]),
    `  the look and the ${counted(reports.length + presenceReports.length, 'report')} cited are entries in it, byte for byte, the reports before the look`,
    '  this file is signed with the key that recorded the look, and the question is the one recorded',
    '  each report of a tag is signed by it, with a key that the issuer certified for that quarter of an hour',
    `    issuer ${toHex(issuerPublicKey)}, ${whose}`,
    ...(presenceReports.length > 0
      ? [
          `  ${counted(presenceReports.length, 'of them is of a gateway', 'of them are of gateways')}, each signed by its gateway, which the issuer had approved for that day by an entry before it`,
        ]
      : []),
    '  each report was opened with its own secret, and says of whom it heard, when, how near and how long what stands above',
    '  each path leads from one person to the next, possible in time, close enough, and within the question',
    ...(others.length > 0
      ? [`  not checked: further signatures of the checkpoint, by ${plain(others.join(' '))}`]
      : []),
  ];
}

function wordLines({ sampleHoldSeconds, retentionDays, presenceReports }: CheckedEvidence): string[] {
  return [
    '  that the ephemeral IDs in the reports were of the tags named above, and who wears these tags',
    '  that the beacons heard bear the codes of those tags',
    `  that a sample counts for at most ${sampleHoldSeconds} s and reports may be ${retentionDays} days old`,
    '  the scores beyond what a path gives, and the earliest times of other paths',
    ...(presenceReports.length > 0
      ? ['  that the two came to a gateway no earlier and left it no later than what is cited of it says']
      : []),
    '  that nothing else speaks against it: what is not cited is not in this file',
  ];
}
