/** What stands on a person's screen: days that end when they end, numbers that agree with their nouns. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { typeLine } from '../../cli/present/entry-names.js';
import { auditLines } from '../../cli/present/show-audit.js';
import { gatewayLines, statusLines } from '../../cli/present/show-retention.js';
import { isTracerWell, tracerScreen } from '../../cli/present/tracer-screen.js';
import { tagScreen, tagStatusSchema } from '../../cli/present/tag-screen.js';
import { localTime } from '../../cli/terminal/times.js';
import { callOf } from '../../cli/terminal/how-called.js';
import { toHex } from '../../protocol/bytes.js';
import { partyIdOf } from '../../protocol/keys.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import { gatewayShown as gateway, LAST_DAY } from './gateway-shown.js';

const DAY_AFTER = localTime((LAST_DAY + 1) * DAY_SECONDS);
const seen = { isRunning: true, ageMs: 0 };
const each = (value: number, ...names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, value]));

function tag(value: number, changes: Record<string, unknown> = {}): string {
  const status = tagStatusSchema.parse({
    ...each(value, 'heard', 'logged', 'delivered', 'reports', 'refused', 'open', 'waiting', 'dropped'),
    ...each(value, 'spoilt', 'sessions', 'failedSessions'),
    ...{ timeMs: 0, isOnAir: true, isClockLost: false, warnings: [], coveredThroughDay: LAST_DAY },
    ...changes,
  });
  return tagScreen(3, { ...seen, status });
}

describe('the last day of a certificate, and of credentials', () => {
  it('ends where the next one begins', () => {
    expect(gateway(2)).toContain(`holds until ${DAY_AFTER}\n`);
    expect(tag(2)).toMatch(new RegExp(`credentials +until ${DAY_AFTER}$`));
  });
});

describe('a tag', () => {
  it('that is silent says why, and one whose adapter is away does not call itself well', () => {
    expect(tag(1)).toContain('tag 3  well');
    const silent = { isOnAir: false };
    expect(tag(1, { ...silent, coveredThroughDay: undefined })).toContain('silent: it has no credentials');
    expect(tag(1, silent)).toContain('silent: its clock was set back');
    const gap = tag(1, { ...silent, coveredThroughDay: undefined, resumesDay: LAST_DAY + 1 });
    expect(gap).toContain(`none for today; on the air again on ${DAY_AFTER}`);
    expect(gap).not.toContain('desk');
    const radioTrouble = 'the adapter that advertises (hci1) is down or was pulled out';
    expect(tag(1, { radioTrouble })).toContain(`tag 3  not wholly on the air: ${radioTrouble}`);
  });

  it('says how often it was refused and why, and not why when it was taken since', () => {
    expect(tag(3, { refused: 0 })).toMatch(/gateways +3 sessions, 3 broken off\n/);
    expect(tag(3, { lastRefusal: 'busy' })).toContain('; refused 3 times, last for busy\n');
    expect(tag(3)).toContain('; refused 3 times, taken since\n');
  });
});

describe('a number', () => {
  it('agrees with its noun', () => {
    expect(gateway(1)).toContain('1 beacon heard, 1 tag in reach, 1 presence record (1 lost');
    expect(tag(1)).toContain('1 beacon, 1 encounter under way, 1 noted; 1 note spoilt on disk');
    expect(tag(1)).toContain('1 encounter in 1 report, 1 waiting, 1 lost');
    expect(tag(2)).toContain('2 encounters in 2 reports');
    expect(typeLine(3, 1)).toBe('         1  gateway enrolled or revoked');
    expect(typeLine(3, 2)).toBe('         2  gateways enrolled or revoked');
  });

  it('has its thousands set apart', () => {
    expect(gateway(3080)).toContain('3,080 beacons heard');
    const answer = { note: '', looks: [], older: 0, unread: [], unreadCount: 0 };
    const lines = auditLines({ answer, entries: 3080, logKey: '' }).join('\n');
    expect(lines).toContain('the log was read up to its 3,080 entries');
  });
});

describe('the status of an authority', () => {
  it('says which gateway has which id, until when it is certified, which certificates ended, and which are revoked', () => {
    const gatewayOf = (name: string, fill: number, revokedFromMs: number | null, toDay = 20_521) => ({
      ...{ name, publicKey: toHex(new Uint8Array(32).fill(fill)), toDay, revokedFromMs },
    });
    const id = (fill: number): string => toHex(partyIdOf(new Uint8Array(32).fill(fill)));
    const gateways = [
      gatewayOf('ward-10', 2, 1_772_755_200_000, 20_515),
      gatewayOf('hub-1', 1, null),
      gatewayOf('hub-2', 3, null, 20_520),
    ];
    expect(gatewayLines(gateways, 20_521)).toEqual([
      `  hub-1    ${id(1)}  certified through 2026-03-09`,
      `  hub-2    ${id(3)}  certificate ended with 2026-03-08`,
      `  ward-10  ${id(2)}  revoked on 2026-03-06`,
    ]);
    const waiting = { ...gatewayOf('ward-10', 2, 1_772_755_200_000), revocation: 'waits' as const };
    expect(gatewayLines([waiting], 20_521)[0]).toContain('revoked on 2026-03-06, waits for the ledger');
    const rest = {
      ...{ issuerPublicKey: '', days: [], ended: [], enrolledTags: 2, sunsetDay: undefined },
      ...{ lastNotice: undefined, noticesOnOffer: 0, noticesWaiting: 0 },
    };
    const first = (some: typeof gateways, today = 20_521) =>
      statusLines({ ...rest, gateways: some }, today)[0];
    expect(first(gateways)).toBe(
      '2 tags enrolled, 1 gateway certified, 1 whose certificate ended, 1 revoked',
    );
    expect(first(gateways, 20_520)).toBe('2 tags enrolled, 2 gateways certified, 1 revoked');
    expect(first(gateways.slice(1, 2))).toBe('2 tags enrolled, 1 gateway certified');
  });
});

describe('a command to type next', () => {
  it.each([
    ['demo', 'npm run --silent firebreak -- '],
    ['firebreak', 'npm run --silent firebreak -- '],
    ['test', 'firebreak '],
    ['npx', 'firebreak '],
    [undefined, 'firebreak '],
  ])('can be typed where the npm script %s ran this', (script, call) => {
    expect(callOf('ledger verify', { npm_lifecycle_event: script })).toBe(`${call}ledger verify`);
  });

  it.each([
    [join(process.cwd(), 'dist/cli/main.js'), 'node dist/cli/main.js'],
    [join(process.cwd(), 'cli/main.ts'), 'npx tsx cli/main.ts'],
    ['/opt/firebreak/cli/main.js', 'node /opt/firebreak/cli/main.js'],
    ['/opt/it’s my/cli/main.js', "node '/opt/it’s my/cli/main.js'"],
    ["/opt/it's/cli/main.js", "node '/opt/it'\\''s/cli/main.js'"],
    ['/usr/local/bin/firebreak', 'firebreak'],
    [undefined, 'firebreak'],
  ])('can be typed where %s is what runs', (script, call) => {
    expect(callOf('ledger verify', {}, script)).toBe(`${call} ledger verify`);
  });
});

describe('a tracer', () => {
  const health = {
    ...{
      well: true,
      problems: [],
      warnings: [],
      followsSince: 0,
      ledgerSeenAt: 995,
      grewAt: 880,
      readOnAt: 880,
      failure: null,
    },
    ...{
      entries: 1200,
      behind: 3,
      contacts: 40,
      people: 7,
      memoryBytes: { resident: 0, heap: 0, buffers: 0 },
    },
  };

  it('says when it took in all of its ledger last, and why it does not now', () => {
    const well = tracerScreen(health, 1_000_000);
    expect(well).toContain('tracer  well');
    expect(well).toMatch(/read on +all of it taken in 2 min ago/);
    expect(well).not.toContain('failed');
    const problems = ['nothing new was taken in for 120 seconds: the disk is full'];
    const ill = tracerScreen({ ...health, well: false, problems, failure: 'the disk is full' }, 1_000_000);
    expect(ill).toContain('tracer  no trace can be answered: the disk is full\n');
    expect(ill).toContain(problems[0]);
    expect(ill).toContain('it failed since, and is tried again');
    const silent = tracerScreen({ ...health, well: false, problems: ['the ledger is silent'] }, 1_000_000);
    expect(silent).toContain('tracer  not well\n');
    expect(tracerScreen({ ...health, readOnAt: null }, 1_000_000)).toContain('not all of it taken in yet');
  });

  it('is not shown as well once it could not read on, though its health allows it some time', () => {
    const failing = { ...health, failure: 'the ledger at http://ledger cannot be reached' };
    const shown = tracerScreen(failing, 1_000_000);
    expect(shown).toMatch(
      /^tracer {2}no trace can be answered: the ledger at http:\/\/ledger cannot be reached\n/,
    );
    expect([health, failing, { ...health, well: false }].map(isTracerWell)).toEqual([true, false, false]);
  });

  it('says of reports what is not as it should be, and nothing for a tracer that does not say', () => {
    const none = { clones: 0, reportGaps: 0, forgedRecords: 0, refusedPresenceReports: 0 };
    for (const fine of [health, { ...health, ...none }])
      expect(tracerScreen(fine, 1_000_000)).not.toContain('reports');
    expect(tracerScreen({ ...health, ...none, clones: 1, forgedRecords: 1234 }, 1_000_000)).toMatch(
      /reports +1 at odds with another of their tag and number, 1,234 records replayed or forged$/,
    );
  });

  it('says where its ledger has published nothing new for long, and where to look', () => {
    const since = (grewAt: number | null) =>
      tracerScreen({ ...health, ledgerSeenAt: 9000, grewAt }, 9_000_000);
    expect(since(600)).toMatch(/published nothing new for 2 h 20 min; firebreak ledger status says/);
    for (const soon of [null, 8101, 9000]) expect(since(soon)).not.toContain('nothing new');
    expect(since(600)).toContain('3 published and not taken in yet');
  });
});
