import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { auditJson, auditLines } from '../../cli/present/show-audit.js';
import type { ShownQuestion } from '../../protocol/payload/access-question.js';
import type { AuditLook, Wholeness } from '../../protocol/tag/audit-answer.js';
import { asUnixMs } from '../../protocol/brands.js';

const look = {
  role: 'reached',
  ...{ writtenAtMs: asUnixMs(1_790_000_000_000), appendedAtMs: asUnixMs(1_790_000_001_000) },
  entries: [{ index: 4, leaf: new Uint8Array(32) }],
} as const;

it.each<[Wholeness, readonly string[]]>([
  ['yes', []],
  ['no', ['answered  no: not all of this look is in the log, and without that there is no answer']],
  ['unknown', ['answered  cannot be told: parts of this look are missing, or cannot be read']],
])('says of a look that is %s whole whether it was answered', (whole, words) => {
  const answer = { note: '', looks: [{ ...look, whole }], older: 0, unread: [], unreadCount: 0 };
  const lines = stripVTControlCharacters(auditLines({ answer, entries: 9, logKey: '' }).join('\n'));
  expect(lines.split('\n').flatMap((line) => /answered .*/.exec(line) ?? [])).toEqual(words);
  expect(JSON.parse(auditJson(3, { answer, entries: 9 }))).toMatchObject({ looks: [{ whole }] });
});

it('does not date a look that found nothing known to the year 1970', () => {
  const asked: ShownQuestion = {
    ...{
      officer: 'Dr. Wu',
      purpose: 'measles',
      question: 'forward',
      hops: 3,
      from: 0,
      to: 0,
      minSeconds: 900,
    },
    ...{ latentSeconds: 0, infectiousSeconds: null, attenuation: 'near', presence: false },
  };
  const looks: AuditLook[] = [{ ...look, role: 'case', whole: 'yes', asked }];
  const answer = { note: '', looks, older: 0, unread: [], unreadCount: 0 };
  const lines = stripVTControlCharacters(auditLines({ answer, entries: 9, logKey: '' }).join('\n'));
  expect(lines).toContain('over all that was known, which was nothing');
  expect(lines).not.toContain('1970');
});

it('shows a look whose window ends at no time that there is: nobody is to look unseen by asking oddly', () => {
  const asked: ShownQuestion = {
    ...{ officer: 'Dr. Wu', purpose: 'measles', question: 'forward', hops: 2, minSeconds: 900 },
    ...{ from: 1_790_000_000, to: Number.MAX_SAFE_INTEGER },
    ...{ latentSeconds: 0, infectiousSeconds: null, attenuation: 'near', presence: false },
  };
  const looks: AuditLook[] = [{ ...look, whole: 'yes', asked }];
  const answer = { note: '', looks, older: 0, unread: [], unreadCount: 0 };
  const lines = stripVTControlCharacters(auditLines({ answer, entries: 9, logKey: '' }).join('\n'));
  expect(lines).toContain('Dr. Wu');
  expect(lines).toContain('to 9007199254740991 s after 1970');
});

it('does not say of a tag that a path was asked to that it is in the answer: there may have been none', () => {
  const asked: ShownQuestion = {
    ...{ officer: 'Dr. Wu', purpose: 'measles', question: 'path', hops: 2, from: 0, to: 9, minSeconds: 900 },
    ...{ latentSeconds: 0, infectiousSeconds: null, attenuation: 'near', presence: false },
  };
  const looks: AuditLook[] = [{ ...look, whole: 'yes', asked }];
  const answer = { note: '', looks, older: 0, unread: [], unreadCount: 0 };
  const lines = stripVTControlCharacters(auditLines({ answer, entries: 9, logKey: '' }).join('\n'));
  expect(lines).toContain('your tag is on the path, or it was asked whether one leads to it');
});

it('does not limit a look at all contacts of a person by terms that did not limit it', () => {
  const asked: ShownQuestion = {
    ...{
      officer: 'Dr. Wu',
      purpose: 'measles',
      question: 'contacts',
      hops: 1,
      from: 0,
      to: 9,
      minSeconds: 900,
    },
    ...{ latentSeconds: 0, infectiousSeconds: null, attenuation: 'near', presence: false },
  };
  const looks: AuditLook[] = [{ ...look, role: 'case', whole: 'yes', asked }];
  const answer = { note: '', looks, older: 0, unread: [], unreadCount: 0 };
  const lines = stripVTControlCharacters(auditLines({ answer, entries: 9, logKey: '' }).join('\n'));
  expect(lines).toContain('every contact, however short');
  expect(lines).not.toContain('at least 15 min');
});

it('does not say of a tag among several cases that it alone was asked about', () => {
  const asked: ShownQuestion = {
    ...{
      officer: 'Dr. Wu',
      purpose: 'measles',
      question: 'cluster',
      hops: 2,
      from: 0,
      to: 9,
      minSeconds: 900,
    },
    ...{ latentSeconds: 0, infectiousSeconds: null, attenuation: 'near', presence: false },
  };
  const looks: AuditLook[] = [{ ...look, role: 'case', whole: 'yes', asked }];
  const answer = { note: '', looks, older: 0, unread: [], unreadCount: 0 };
  const lines = stripVTControlCharacters(auditLines({ answer, entries: 9, logKey: '' }).join('\n'));
  expect(lines).toContain('your tag is one of the cases that were asked about');
});

it('says of an entry whose record is lost or damaged that it may be about anybody, and why it cannot be shown', () => {
  const unread = [{ index: 7, appendedAtMs: asUnixMs(1_790_000_000_000), why: 'missing' }] as const;
  const answer = { note: '', looks: [], older: 0, unread, unreadCount: 1 };
  const lines = stripVTControlCharacters(auditLines({ answer, entries: 9, logKey: '' }).join('\n'));
  expect(lines).toContain('No look that can be read was at a trace that reached your tag.');
  expect(lines).toContain('1 entry records a look that nobody can be shown; they may be about anybody:');
  expect(lines).toMatch(/entry 7, .*: the ledger does not hold what it records, or holds it damaged/);
});

it('names a check that can be made where the wearer is: with the ledger here, and with the ledger elsewhere', () => {
  const answer = {
    note: '',
    looks: [{ ...look, whole: 'yes' as const }],
    older: 0,
    unread: [],
    unreadCount: 0,
  };
  const shown = { answer, entries: 9, logKey: 'log.example+96821a5e+ASBE' };
  const here = stripVTControlCharacters(auditLines({ ...shown, dataDir: 'DIR' }).join('\n'));
  expect(here).toContain('firebreak ledger prove --data-dir DIR --index ENTRY');
  const elsewhere = stripVTControlCharacters(auditLines(shown).join('\n'));
  expect(elsewhere).not.toContain('ledger prove --data-dir');
  expect(elsewhere).toContain(
    'ask who runs the ledger for the proof of entry ENTRY, then firebreak ledger check-proof FILE --vkey log.example+96821a5e+ASBE',
  );
});
