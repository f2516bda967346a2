/** What `firebreak gateway status` says, and when it says "well". */
import { describe, expect, it } from 'vitest';
import { localTime } from '../../cli/terminal/times.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import { gatewayShown as gateway, LAST_DAY } from './gateway-shown.js';

const MINUTE_MS = 60_000;
const NOON_MS = (LAST_DAY - 5.5) * DAY_SECONDS * 1000;
const endOf = (day: number): string => localTime((day + 1) * DAY_SECONDS);

/** At noon of the day five before the certificate's last. */
const delivering = (courier: Record<string, unknown>, changes: Record<string, unknown> = {}): string =>
  gateway(1, changes, { clockMs: NOON_MS, courier });

describe('a gateway', () => {
  it('is well only when tags are served and heard, and what they bring is kept', () => {
    expect(gateway(1)).toContain('hub-1  well');
    const radioTrouble = 'the adapter that scans (hci0) is down or was pulled out';
    expect(gateway(1, { radioTrouble })).toContain(`hub-1  not wholly on the air: ${radioTrouble}`);
    const whyNotKept = 'the spool is full';
    expect(gateway(1, { whyNotKept })).toContain(
      'hub-1  could not keep the last report, its tag comes again: the spool is full',
    );
  });

  it('is not well in the last two days of a certificate, and names the file that has to come', () => {
    const onDay = (day: number, online = true) =>
      gateway(1, {}, { clockMs: day * DAY_SECONDS * 1000, online });
    expect(onDay(LAST_DAY - 2)).toContain('hub-1  well');
    expect(onDay(LAST_DAY - 1)).toContain(
      `hub-1  serves tags until ${endOf(LAST_DAY)}, when its certificate ends: the authority renews it`,
    );
    expect(onDay(LAST_DAY, false)).toContain(
      'from an authority on another machine bring gateways/hub-1/certificate; the ledger cannot be reached',
    );
  });

  it('is not well while the certificate in its folder cannot be read, and says why', () => {
    const whyCertificateUnread = 'gateways/hub-1/certificate is there, but cannot be read (EACCES)';
    expect(gateway(1, {}, { clockMs: NOON_MS, whyCertificateUnread })).toContain(
      `hub-1  serving tags; ${whyCertificateUnread}\n`,
    );
    expect(gateway(1, { trouble: 'it ended' }, { whyCertificateUnread, online: false })).toContain(
      `hub-1  serves no tag: it ended; the ledger cannot be reached, reports wait on disk; ${whyCertificateUnread}\n`,
    );
  });

  it('is not well on the last day of its day keys, and says until when it has them', () => {
    const today = LAST_DAY - 6;
    const holding = (days: readonly number[], changes: Record<string, unknown> = {}) =>
      delivering({}, { statementDays: days, ...changes });
    const tomorrowHeld = holding([today - 1, today, today + 1]);
    expect(tomorrowHeld).toContain('hub-1  well');
    expect(tomorrowHeld).toMatch(new RegExp(`day keys +3 held, until ${endOf(today + 1)}\n`));
    const ending =
      `hub-1  serves tags until ${endOf(today)}, when its day keys end: ` +
      'the authority publishes them while it runs and the broker can be reached';
    expect(holding([today - 1, today])).toContain(ending);
    expect(holding([today - 1, today, today + 2])).toContain(ending);
    expect(holding([today - 1, today], { certificateToDay: today })).toContain('when its certificate ends');
    const ended = holding([today - 2, today - 1]);
    expect(ended).toMatch(/day keys +2 held, none for today\n/);
    expect(ended).not.toContain('day keys end');
  });

  it('is told of the end of its deployment as of a plan, before it and after', () => {
    const today = LAST_DAY - 6;
    const holding = (days: readonly number[], changes: Record<string, unknown>) =>
      delivering({}, { statementDays: days, ...changes });
    const tomorrow = { sunsetDay: today + 1 };
    const planned = `hub-1  serves tags until ${endOf(today)}, when this deployment ends, as firebreak.json has it\n`;
    expect(holding([today - 1, today], tomorrow)).toContain(planned);
    const ending = { ...tomorrow, certificateToDay: today };
    expect(holding([today - 1, today], ending)).toContain(planned);
    expect(holding([today - 1, today], { sunsetDay: today + 2 })).toContain('the authority publishes them');
    expect(holding([today, today + 1], { sunsetDay: today + 2, certificateToDay: today + 1 })).toContain(
      'hub-1  well',
    );
    expect(holding([today, today + 1, today + 2], tomorrow)).toContain('hub-1  well');
    expect(holding([today - 1, today], { sunsetDay: today + 9, certificateToDay: today })).toContain(
      'when its certificate ends',
    );
  });

  it('is not shown as at fault once its deployment has ended', () => {
    const trouble = 'this deployment ended';
    const shown = (sunsetDay: number) =>
      delivering({}, { trouble, statementDays: [LAST_DAY - 8, LAST_DAY - 7], sunsetDay });
    expect(shown(LAST_DAY - 6)).toContain(`hub-1  serves no tag, as planned: ${trouble}\n`);
    expect(shown(LAST_DAY - 5)).toContain(`hub-1  serves no tag: ${trouble}\n`);
    const revoked = delivering(
      {},
      { trouble: 'revoked', isRevoked: true, statementDays: [], sunsetDay: LAST_DAY - 6 },
    );
    expect(revoked).toContain('hub-1  serves no tag: revoked');
  });

  it('that is stopped says of what was then that it was then', () => {
    const stopped = gateway(1, { notices: 2 }, { isRunning: false });
    expect(stopped).toContain('not running');
    for (const words of ['1 tag in reach then,', '1 open then,', '2 on offer to tags then', 'then, up since'])
      expect(stopped).toContain(words);
    expect(gateway(1, { notices: 2 })).not.toContain('then');
  });

  it('that is stopped says what its last verdict was', () => {
    const stopped = { isRunning: false };
    expect(gateway(1, {}, stopped)).toContain('hub-1  not running; last seen 0 s ago; then: well\n');
    const trouble = 'the authority has revoked this gateway';
    expect(gateway(1, { trouble }, stopped)).toContain(`ago; then: serves no tag: ${trouble}\n`);
  });

  it('that is revoked has no certificate that holds, whatever days are left', () => {
    const revoked = gateway(1, { isRevoked: true, trouble: 'the authority has revoked this gateway' });
    expect(revoked).toMatch(/certificate +revoked by the authority\n/);
    expect(gateway(1)).toMatch(/certificate +holds until /);
  });

  it('says what tags brought apart from what the ledger got, and why it refused some', () => {
    const shown = gateway(3, { reportsRefused: { epoch: 3, busy: 2 } });
    expect(shown).toMatch(/reports +3 accepted from tags since it started, refused: 3 epoch, 2 busy\n/);
  });

  it('without a certificate has none until 1970 either', () => {
    expect(gateway(1, { certificateToDay: 0 })).toMatch(/certificate +none that holds today\n/);
  });

  it('says which presence records there was no room for, and which got too old', () => {
    const both = gateway(3, { presenceTooOld: 96 });
    expect(both).toContain(
      '3 presence records (3 lost: more at once than it can hold; 96 too old when the gateway could report again)',
    );
    const old = gateway(3, { presenceLost: 0, presenceTooOld: 96 });
    expect(old).toContain('3 presence records (96 too old when the gateway could report again)');
  });
});

describe('a gateway whose reports the ledger', () => {
  it('cannot be given is not well, and says why', () => {
    const offlineWhy = 'do the clocks of this host and the ledger’s\u001b[2J agree?';
    const shown = delivering({ online: false, offlineWhy });
    expect(shown).toContain(
      'hub-1  serving tags; the ledger cannot be reached (do the clocks of this host and the ledger’s\ufffd[2J agree?), reports wait on disk',
    );
    const trouble = 'the authority has revoked this gateway';
    expect(delivering({ online: false, offlineWhy: 'no route' }, { trouble })).toContain(
      `hub-1  serves no tag: ${trouble}; the ledger cannot be reached (no route)`,
    );
  });

  it('does not take is not well once the oldest has waited ten minutes', () => {
    const waiting = (minutes: number, courier: Record<string, unknown> = {}): string =>
      delivering({ depth: 1200, oldestUnsentMs: NOON_MS - minutes * MINUTE_MS, ...courier });
    expect(waiting(10)).toContain('hub-1  well');
    const nothing =
      'hub-1  serving tags; the ledger takes nothing: 1,200 reports wait, the oldest for 11 min; ' +
      'firebreak ledger status says how it is';
    expect(waiting(11)).toContain(nothing);
    expect(waiting(11, { lastReceiptMs: NOON_MS - 11 * MINUTE_MS })).toContain(nothing);
    expect(waiting(11, { lastReceiptMs: NOON_MS - MINUTE_MS })).toContain(
      'hub-1  serving tags; the ledger is behind: 1,200 reports wait, the oldest for 11 min',
    );
    expect(waiting(11, { depth: 1 })).toContain('1 report waits, the oldest');
  });

  it('takes only with a certificate is not well, and says what to look at', () => {
    expect(delivering({ depth: 3, parked: 2, oldestUnsentMs: NOON_MS })).toContain(
      'hub-1  serving tags; 2 reports wait until the ledger has the certificate of this gateway: ' +
        'see that the authority runs and reaches the ledger',
    );
  });

  it('will never take, since it was revoked, is not told to wait for the authority', () => {
    const trouble = 'the authority has revoked this gateway';
    const shown = delivering({ depth: 3, parked: 2, oldestUnsentMs: NOON_MS }, { isRevoked: true, trouble });
    expect(shown).toContain(
      `hub-1  serves no tag: ${trouble}; 2 reports wait for another try: those taken after it was ` +
        'revoked the ledger refuses again, and then they are kept aside; ' +
        'README.md, “After it was revoked”, says how to go on\n',
    );
    expect(shown).toContain('3 waiting (2 of them refused until now), the oldest');
    expect(shown).not.toContain('until the ledger');
    const aside = { keptAside: 2, refused: 2, keptAsideReasons: { certificate: 2 } };
    expect(delivering(aside, { isRevoked: true, trouble })).toContain(
      `hub-1  serves no tag: ${trouble}; the ledger refused 2 reports for good (2 certificate), most likely taken ` +
        'after it was revoked: they stay on disk; once stopped, firebreak gateway refused lists them; ' +
        'README.md, “After it was revoked”, says how to go on\n',
    );
  });

  it('refused for good is not well, and says what was refused and what to do', () => {
    const courier = { refused: 1, keptAside: 3, keptAsideReasons: { day: 2, epoch: 1 } };
    const shown = delivering({ ...courier, delivered: 12 });
    expect(shown).toContain(
      'hub-1  serving tags; the ledger refused 3 reports for good (2 day, 1 epoch): ' +
        'see that the clock here is right, and tell whoever runs the ledger; once stopped, firebreak gateway refused lists them',
    );
    expect(shown).toContain(
      '12 delivered and receipted since it started, 3 refused (2 day, 1 epoch; kept on disk), 0 waiting',
    );
    expect(delivering({ ...courier, refused: 12_000 })).toContain(
      '12,000 refused (2 day, 1 epoch; the newest 3 kept on disk)',
    );
    expect(delivering({})).toContain('0 refused, 0 waiting');
  });

  it('took names the entry that can be proved', () => {
    const took = { lastReceiptMs: NOON_MS - 3000, lastIndex: 12_345 };
    expect(delivering(took)).toMatch(/last receipt +3 s ago, entry 12,345\n/);
    expect(delivering({})).toMatch(/last receipt +none yet\n/);
  });

  it('took and did not take says both by its own clock, and of what was then that it was', () => {
    const courier = {
      ...{ depth: 2, oldestUnsentMs: NOON_MS - 70 * MINUTE_MS },
      ...{ lastReceiptMs: NOON_MS - 60 * MINUTE_MS, lastIndex: 7 },
    };
    const now = delivering(courier);
    expect(now).toMatch(/2 waiting, the oldest for 1 h 10 min\n/);
    expect(now).toMatch(/last receipt +1 h 00 min ago, entry 7\n/);
    const stopped = gateway(1, {}, { clockMs: NOON_MS, courier, isRunning: false });
    expect(stopped).toMatch(/2 waiting, the oldest for 1 h 10 min then\n/);
    const when = localTime(NOON_MS / 1000 - 3600);
    expect(stopped).toMatch(new RegExp(`last receipt +${when}, entry 7\n`));
  });

  it('is shown too where an earlier version wrote the status', () => {
    const shown = delivering({ keptAside: 3, lastReceiptWallMs: Date.now() - 3000 });
    expect(shown).toContain('the ledger refused 3 reports for good: see');
    expect(shown).toContain('3 refused (kept on disk), 0 waiting');
    expect(shown).toMatch(/last receipt +3 s ago\n/);
    expect(delivering({ online: false })).toContain('the ledger cannot be reached, reports wait on disk');
  });
});
