/** `firebreak audit`: shows the wearer of a tag who looked at traces that reached it, when and why. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Command } from 'commander';
import { isThere } from '../files/is-there.js';
import { MAX_TAG_NUMBER } from '../../protocol/brands.js';
import { HOWEVER_LONG, UnreadLog } from '../../authority/looks/audit-desk.js';
import { auditByWire } from '../../authority/credentials/enrolment-client.js';
import { makeAuditRequest } from '../../firmware-sim/tag/audit-request.js';
import { loadTagState } from '../../firmware-sim/tag/tag-store-file.js';
import type { TagState } from '../../firmware-sim/tag/tag-state.js';
import { unlessAborted } from '../../host/time-limit.js';
import { openAuditAnswer } from '../../protocol/tag/audit-answer.js';
import { nobleSigner } from '../../protocol/crypto/ed25519-noble.js';
import { FirebreakError } from '../../protocol/errors.js';
import { openWitnessedCheckpoint } from '../../protocol/tlog/witness-policy.js';
import { tagFolder } from '../folder/folder.js';
import type { DataFolder } from '../folder/folder.js';
import { httpUrl, wholeNumber } from '../terminal/options.js';
import { POLICY_OPTION, policyOption } from '../files/policy-files.js';
import { startAudit } from '../parts/audit.js';
import { logVerifier, openFolderReader } from '../parts/ledger.js';
import { auditJson, auditLines } from '../present/show-audit.js';
import { findRunning, notRunning } from '../files/run-files.js';
import { inFolder, withFolderOptions } from '../folder/session.js';
import type { FolderOptions, Session } from '../folder/session.js';

interface AuditOptions extends FolderOptions {
  readonly tag: number;
  readonly authority?: string;
  readonly policy?: string;
  readonly json?: boolean;
}

export function addAuditCommand(program: Command): void {
  withFolderOptions(
    program
      .command('audit')
      .description('who looked at traces that reached your tag, when and why; asked with the tag’s own key'),
  )
    .requiredOption('--tag <n>', 'the tag: its number, whose folder is here', wholeNumber(0, MAX_TAG_NUMBER))
    .option('--authority <url>', 'ask the authority there, such as http://127.0.0.1:8470', httpUrl)
    .option(...POLICY_OPTION)
    .option('--json', 'print it as JSON')
    .action((options: AuditOptions) => run(options));
}

async function run(options: AuditOptions): Promise<void> {
  const { policy } = await policyOption(options.policy);
  await inFolder('audit', options, async (session) => {
    const { folder, config, clock } = session;
    const state = tagStateOf(session, options.tag);
    const made = makeAuditRequest(state, {
      nowSeconds: clock.nowMs() / 1000,
      wallMs: Date.now(),
      random: (length) => new Uint8Array(randomBytes(length)),
      signerOf: nobleSigner,
    });
    const answer = openAuditAnswer(
      await ask(session, made.request, options.authority),
      made,
      state.issuerPublicKey,
    );
    const { size: entries } = openWitnessedCheckpoint(answer.note, logVerifier(config), policy);
    if (options.json === true) return console.log(auditJson(options.tag, { answer, entries }));
    const ledger = (await readsLedger(folder)) && { dataDir: options.dataDir };
    console.log(auditLines({ answer, entries, logKey: config.logKey, ...ledger }).join('\n'));
  });
}

/** As the tag left it last; a tag that runs goes on undisturbed. */
function tagStateOf({ folder, config }: Session, tag: number): TagState {
  const own = tagFolder(folder, tag);
  const state = loadTagState(join(own.state, 'tag.json'), config.settings);
  if (state !== undefined) return state;
  throw new FirebreakError(
    'not-found',
    `no tag of this number was run in ${folder.dir}: ask in the folder that firebreak tag run keeps it in`,
  );
}

const ELSEWHERE = 'on the machine of a tag alone, name the authority with --authority https://…';

/** Asks the authority at `url`, or the one that runs on the folder; without either, reads the ledger with the authority's keys. */
async function ask(session: Session, request: Uint8Array, url: string | undefined): Promise<Uint8Array> {
  const { folder, config, signal, onClose } = session;
  if (url !== undefined) return auditByWire({ url, signal }, request);
  const running = await findRunning(folder, 'authority');
  if (running) return auditByWire({ url: running.http, signal }, request);
  if (!(await isThere(folder.authority.auditKey))) throw notRunning(folder, 'authority', ELSEWHERE);
  const reader = await openFolderReader(folder, config);
  onClose(() => reader.close());
  const { audit } = await startAudit(session, reader, { answerWithinMs: HOWEVER_LONG });
  return unlessAborted(audit(request).catch(sayWhy), signal);
}

/** Whoever asks with the authority's keys hears all there is to hear. */
function sayWhy(error: unknown): never {
  throw error instanceof UnreadLog ? error.cause : error;
}

/** Whether commands on the folder can read its ledger: from its store, or with a token from another machine. Never throws. */
const readsLedger = async ({ ledger, ledgerPlace }: DataFolder): Promise<boolean> =>
  (await isThere(ledger.store)) || ((await isThere(ledgerPlace)) && (await isThere(ledger.readToken)));
