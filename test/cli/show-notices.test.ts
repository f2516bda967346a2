import { describe, expect, it } from 'vitest';
import { healthLine, lastNoticeLine, notifiedLines, revokedLine } from '../../cli/present/show-notices.js';
import { tagScreen, tagStatusSchema } from '../../cli/present/tag-screen.js';
import { asTagNumber } from '../../protocol/brands.js';

const notified = {
  ...{ number: 3, notice: new Uint8Array(88), held: 2, heldBytes: 176 },
  ...{ unreachable: [], dropped: [] },
};

describe('an officer who gave a notice', () => {
  it('is told that it is published only when it is', () => {
    expect(notifiedLines(1, notified, 'out')).toEqual([
      'notice 3, for 1 tag, is published; tags see it at their next gateway',
    ]);
    expect(notifiedLines(2, notified, 'waits')).toEqual([
      'notice 3, for 2 tags, is kept here, and goes out when the ledger can be reached; it has not yet. Do not give it again',
    ]);
    for (const reach of ['logged', 'refused'] as const)
      expect(notifiedLines(2, notified, reach).join()).not.toContain('published');
  });

  it('is told whom it cannot reach, what it pushed out, and that there is little room', () => {
    const unreachable = [5, 6].map(asTagNumber);
    const said = notifiedLines(4, { ...notified, unreachable, dropped: [1], held: 192 }, 'out').slice(1);
    expect(said).toEqual([
      'WARN tags 5, 6 have no credentials for that day and cannot tell that the notice is for them: tell the persons otherwise',
      'taken off to make room: 1; tags that have met no gateway since are not warned by them',
      'WARN 75 % of the room for notices is taken (192 of them): name more tags in one notice',
    ]);
  });
});

it('an officer who revoked a gateway is told that it is revoked only when it is', () => {
  const id = 'a0'.repeat(16);
  expect(revokedLine(id, 'out')).toBe(`gateway ${id} is revoked`);
  expect(revokedLine(id, 'waits')).toBe(
    `the revocation of gateway ${id} is published to gateways where the broker can be reached; the ledger has not taken it yet, and takes the gateway’s reports until it does. Do not give it again`,
  );
  expect(revokedLine(id, 'refused')).toContain('gateways that reach the broker go by it all the same');
  for (const reach of ['logged', 'refused'] as const)
    expect(revokedLine(id, reach)).not.toContain('is revoked');
});

describe('the status of an authority', () => {
  const courier = {
    ...{ online: true, depth: 0, bytes: 0, oldestUnsentMs: undefined, parked: 0, keptAside: 0, delivered: 4 },
    ...{ refused: 0, resent: 0, renumbered: 0, strayReceipts: 0, lastReceiptMs: undefined },
    ...{ offlineWhy: undefined, keptAsideReasons: {}, lastIndex: undefined },
  };
  const status = {
    ...{ issuerPublicKey: '', days: [], ended: [], sunsetDay: undefined, gateways: [], enrolledTags: 2 },
    ...{ lastNotice: undefined, noticesOnOffer: 0, noticesWaiting: 0 },
  };

  it('begins with how it is', () => {
    expect(healthLine(courier, status, 0)).toBe('well');
    const waiting = { ...courier, depth: 2, oldestUnsentMs: 1_000 };
    expect(healthLine({ ...waiting, online: false }, { ...status, noticesWaiting: 1 }, 41_000)).toBe(
      'the ledger cannot be reached: 2 entries wait, the oldest for 40 s; 1 notice among them warns nobody yet',
    );
    const gateway = { name: 'hub-1', publicKey: '', toDay: 1, revokedFromMs: 5 };
    const gateways = [gateway, { ...gateway, revocation: 'waits' as const }];
    expect(healthLine(waiting, { ...status, gateways }, 41_000)).toContain(
      'the oldest for 40 s; 1 revocation among them is not in the ledger yet',
    );
    expect(healthLine(waiting, status, 41_000)).toContain('the ledger has not answered yet: 2 entries wait');
    expect(healthLine(waiting, status, 11_000)).toMatch(/^well; 2 entries wait, the oldest for 10 s$/);
    expect(healthLine(waiting, { ...status, noticesWaiting: 1 }, 2_000)).not.toContain('well');
    expect(healthLine({ ...waiting, online: false, offlineWhy: 'no route\n' }, status, 41_000)).toBe(
      'the ledger cannot be reached (no route\ufffd): 2 entries wait, the oldest for 40 s',
    );
    const aside = { keptAside: 1, keptAsideReasons: { size: 1 } };
    expect(healthLine({ ...courier, ...aside }, status, 0)).toContain(
      '1 entry refused for good by the ledger (1 size)',
    );
    expect(healthLine({ ...courier, online: false }, status, 0)).not.toContain('well');
  });

  it('ends with the last notice', () => {
    expect(lastNoticeLine(status)).toBe('no notice is on offer to tags');
    const lastNotice = { number: 3, givenMs: 1_772_409_600_000, state: 'waits' as const };
    expect(lastNoticeLine({ ...status, lastNotice, noticesOnOffer: 1 })).toMatch(
      /^last notice: 3, given .*2026.*, waits for the ledger; 1 notice on offer to tags$/,
    );
  });
});

describe('whoever wears a tag', () => {
  it('is told what a warning means, and when it is of', () => {
    const status = tagStatusSchema.parse({
      ...{ isOnAir: true, isClockLost: false, timeMs: 0, heard: 0, logged: 0, delivered: 0, reports: 0 },
      ...{ refused: 0, open: 0, waiting: 0, dropped: 0, sessions: 0, failedSessions: 0 },
      warnings: [2, 3].map((number) => ({ day: 20_514, number, code: 3 })),
    });
    expect(tagScreen(3, { isRunning: true, ageMs: 0, status })).toContain(
      'yes, on Mon, 02 Mar 2026 (UTC day): you may have been near someone who fell ill. ' +
        'Ask your health authority what to do (notice 3, code 3; 1 before it)',
    );
  });
});
