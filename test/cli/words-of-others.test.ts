/** What other parties wrote does not move, colour, hide or forge what stands on a person's terminal. */
import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeError } from '../../cli/terminal/exit.js';
import { gatewayScreen, gatewayStatusSchema } from '../../cli/present/gateway-screen.js';
import { ledgerScreen, ledgerStatusSchema } from '../../cli/present/ledger-screen.js';
import { auditJson, auditLines } from '../../cli/present/show-audit.js';
import { evidenceLines } from '../../cli/present/show-evidence.js';
import { proofLines } from '../../cli/present/show-proof.js';
import { tagScreen, tagStatusSchema } from '../../cli/present/tag-screen.js';
import type { ShownQuestion } from '../../protocol/payload/access-question.js';
import { asTagNumber, asTreeSize, asUnixMs } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { CheckedEvidence } from '../../tracer/evidence/check.js';
import type { TraceRequest } from '../../tracer/looks/trace-result.js';
import { program } from '../program.js';

/** Erases the screen, conceals, turns the line, begins another; none of it is among our own colours. */
const PARTS = ['\u001b[2J', '\u009b8m', '\u202e', '\u2028', '\r'] as const;
const words = (what: string): string => `${what}${PARTS.join('x')}\nforged`;
const bytes = new Uint8Array(32);
const walk = { hops: 3, from: 1_690_000_000, to: 1_700_000_000, minSeconds: 900, latentSeconds: 0 };
const now = asUnixMs(1_790_000_000_000);
const asked: ShownQuestion = {
  ...{ officer: words('officer'), purpose: words('purpose') },
  ...{ ...walk, question: 'both', infectiousSeconds: null, attenuation: 'near', presence: false },
};
const entries = [{ index: 4, leaf: bytes }];
const look = { role: 'reached', whole: 'yes', writtenAtMs: now, appendedAtMs: now, entries, asked } as const;
const answer = { note: '', looks: [look], older: 0, unread: [], unreadCount: 0 };
const checkpoint = { origin: words('origin'), size: asTreeSize(9), root: bytes };
const seen = { isRunning: true, ageMs: 0 };

const evidence = (): string[] => {
  const request: TraceRequest = { ...walk, case: '3', direction: 'both' };
  const entry = {
    ...{
      index: 4,
      type: 6,
      source: new Uint8Array(16),
      sourceSeq: 1,
      appendedAtMs: now,
      sourceTimeMs: now,
      previousLeaf: bytes,
    },
    ...{ payloadLength: 1, payloadSha256: bytes },
  };
  const record = { ...asked, cases: [asTagNumber(3)], reachedCount: 0 };
  const shown: CheckedEvidence = {
    ...{ checkpoint, note: '', tracerPublicKey: bytes, issuerPublicKey: bytes },
    ...{ sampleHoldSeconds: 10, retentionDays: 21, request, contacts: [], reached: [] },
    ...{ reports: [], presenceReports: [] },
    look: { index: 4, entry, record },
  };
  return evidenceLines(shown, {
    ...{ isIssuerGiven: false, others: [words('other')], cosigned: new Map([[words('cosigner'), 1]]) },
  });
};
const proof = (): string[] =>
  proofLines({
    ...{ index: 4, leaf: bytes, entry: undefined, checkpoint },
    ...{ witnesses: new Map([[words('witness'), 1]]), unverifiedNames: [words('name')] },
  });
const ledger = (): string => {
  const witness = { name: words('name'), cosignedSize: 3, failure: words('failure') };
  const publication = { size: 3, quorum: words('quorum'), failure: words('failure'), witnesses: [witness] };
  const refused = { [words('reason')]: 1 };
  const rest = { size: 9, gateways: 0, pendingBatches: 0, daysToRemove: 1, removalFailure: words('failure') };
  const status = ledgerStatusSchema.parse({ origin: words('origin'), refused, publication, ...rest });
  return ledgerScreen({ ...seen, status });
};
const zeros = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 0]));
const gateway = (): string => {
  const status = gatewayStatusSchema.parse({
    ...{ name: words('name'), clockMs: 0 },
    gateway: {
      ...zeros(
        'openSessions',
        'sessions',
        'turnedAway',
        'timedOut',
        'broken',
        'upSinceMs',
        'reportsAccepted',
      ),
      ...zeros('beaconsHeard', 'tagsInReach', 'presenceReported', 'presenceLost', 'certificateToDay'),
      ...{ gatewayId: words('id'), trouble: words('trouble'), reportsRefused: { [words('reason')]: 1 } },
      ...{ statementDays: [], notices: 0 },
    },
    courier: { online: true, ...zeros('depth', 'delivered', 'refused', 'parked', 'keptAside') },
  });
  return gatewayScreen({ ...seen, status });
};
const tag = (): string => {
  const status = tagStatusSchema.parse({
    ...zeros('timeMs', 'heard', 'logged', 'delivered', 'reports', 'open', 'waiting', 'dropped'),
    ...zeros('sessions', 'failedSessions'),
    ...{ isOnAir: true, isClockLost: false, warnings: [], refused: 1, lastRefusal: words('reason') },
  });
  return tagScreen(3, { ...seen, status });
};
/** What a process logs, with `name` in a field. */
async function logged(name: string): Promise<string> {
  const log = pathToFileURL(program(new URL('../../cli/terminal/log.ts', import.meta.url))).href;
  const script = `import { consoleLog } from '${log}';
    consoleLog('authority', undefined).warn('not certified', { gateway: ${JSON.stringify(name)} });`;
  const args = ['--input-type=module', '-e', script];
  return (await promisify(execFile)(process.execPath, args)).stderr;
}

describe('words that somebody else wrote', () => {
  it.each<[string, () => string | Promise<string>]>([
    ['the looks a wearer is shown', () => auditLines({ answer, entries: 9, logKey: '' }).join('\n')],
    ['the same as JSON', () => auditJson(3, { answer, entries: 9 })],
    ['evidence', () => evidence().join('\n')],
    ['a proof', () => proof().join('\n')],
    ['the status of a ledger', ledger],
    ['the status of a gateway', gateway],
    ['the status of a tag', tag],
    ['a log', () => logged(words('name'))],
    ['an error', () => describeError(new FirebreakError('input', words('why')), false)],
    ['an error with its stack', () => describeError(new Error(words('why')), true)],
  ])('are shown plain in %s', async (_where, screen) => {
    const text = await screen();
    expect(text).toContain('x');
    for (const part of PARTS) expect(text).not.toContain(part);
    expect(text).not.toMatch(/^forged/m);
  });
});
