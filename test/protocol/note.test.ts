import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import {
  noteSignerKey,
  noteVerifierKey,
  noteSigner,
  noteVerifier,
  openNote,
  parseSignerKey,
  parseVerifierKey,
  signNote,
} from '../../protocol/tlog/note.js';
import { codeOf, withFlippedBit } from './errors-of.js';

/** Keys and notes that golang.org/x/mod/sumdb/note documents and tests itself with. */
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER_SKEY = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const PETER_VKEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const ENOCH_VKEY = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop';
const PETER_LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const ENOCH_LINE =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n';
const PETER_NOTE = `${TEXT}\n${PETER_LINE}`;

const peter = parseVerifierKey(PETER_VKEY);
const enoch = parseVerifierKey(ENOCH_VKEY);
const peterSigner = parseSignerKey(PETER_SKEY);
const enochSigner = noteSigner('EnochRoot', fastSigner(new Uint8Array(32)));
const linesBy = (count: number, line: string) => `${TEXT}\n${line.repeat(count)}`;

describe('note keys', () => {
  test('are written as sumdb/note writes them', () => {
    expect(noteVerifierKey(peterSigner.name, peterSigner.publicKey)).toBe(PETER_VKEY);
    expect(noteVerifierKey(peter.name, peter.publicKey)).toBe(PETER_VKEY);
    expect(noteVerifierKey(enochSigner.name, enochSigner.publicKey)).toBe(ENOCH_VKEY);
    expect(peter.keyHash).toBe(0xc74f20a3);
    const seed = Buffer.from(PETER_SKEY.split('+').slice(4).join('+'), 'base64').subarray(1);
    expect(noteSignerKey('PeterNeumann', seed)).toBe(PETER_SKEY);
  });

  test.each([
    '',
    'PeterNeumann',
    PETER_VKEY.replace('Peter', 'Petra'),
    PETER_VKEY.replace('c74f20a3', 'c74f20a4'),
    PETER_VKEY.replace('c74f20a3', '0c74f20a3'),
    PETER_VKEY.replace('c74f20a3', 'c74f20g3'),
    PETER_VKEY.replace('ARpc', 'Arpc'),
    PETER_VKEY.replace('+ARpc', '+AARpc'),
    PETER_VKEY.slice(0, -4),
    `${PETER_VKEY}\n`,
    `${PETER_VKEY}=`,
    PETER_VKEY.replace('PeterNeumann', 'Peter Neumann'),
    PETER_SKEY,
    'remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7aaaaaaa',
  ])('%j is not a verifier key', (vkey) => expect(codeOf(() => parseVerifierKey(vkey))).toBe('format'));

  test('of a signer are refused without being shown', () => {
    for (const skey of ['', PETER_VKEY, PETER_SKEY.replace('c74f', 'c74e'), PETER_SKEY.slice(0, -4)]) {
      expect(codeOf(() => parseSignerKey(skey))).toBe('format');
    }
    expect(() => parseSignerKey(PETER_SKEY.replace('c74f', 'c74e'))).toThrow(
      expect.not.stringContaining('AYEK'),
    );
  });

  test.each(['', 'a b', 'a+b', 'a\u00a0b', 'a\u0085', 'a\u3000b', 'a\tb', 'a\nb', '\ud800'])(
    'may not have the name %j',
    (name) => expect(codeOf(() => noteVerifier(name, peter.publicKey))).toBe('format'),
  );

  test('may have a name in any script', () => {
    expect(parseVerifierKey(noteVerifierKey('пример.рф/日志', peter.publicKey))).toEqual(
      noteVerifier('пример.рф/日志', peter.publicKey),
    );
  });

  test('have 32 bytes', () => {
    expect(codeOf(() => noteVerifier('a', peter.publicKey.subarray(1)))).toBe('format');
  });
});

describe('signing a note', () => {
  test('gives what sumdb/note gives, byte for byte', () => {
    expect(signNote(TEXT, [peterSigner])).toBe(PETER_NOTE);
    expect(signNote(TEXT, [peterSigner, enochSigner])).toBe(PETER_NOTE + ENOCH_LINE);
  });

  test('is refused for a text without final newline or with control characters', () => {
    for (const text of ['', 'a', 'a\nb', 'a\tb\n', 'a\r\n', '\u0000\n', '\ud800\n']) {
      expect(codeOf(() => signNote(text, [peterSigner]))).toBe('format');
    }
  });
});

describe('opening a note', () => {
  test('gives its text and who signed it', () => {
    const note = PETER_NOTE + ENOCH_LINE;
    const opened = openNote(note, [peter]);
    expect(opened.text).toBe(TEXT);
    expect(opened.verified.map(({ name }) => name)).toEqual(['PeterNeumann']);
    expect(opened.unverified.map(({ name }) => name)).toEqual(['EnochRoot']);
    expect(openNote(note, [enoch, peter]).verified).toHaveLength(2);
    expect(openNote(Buffer.from(note), [peter])).toEqual(opened);
  });

  test('takes any text that may be signed, blank lines and all', () => {
    const texts = fc
      .string({ unit: 'grapheme', maxLength: 80 })
      .map((text) => text.replace(/\p{Cc}/gu, '\n'));
    fc.assert(
      fc.property(texts, (text) => {
        const opened = openNote(signNote(`${text}\n`, [enochSigner]), [enoch]);
        expect(opened.text).toBe(`${text}\n`);
      }),
      { numRuns: 50 },
    );
  });

  test('drops repeated signatures', () => {
    const opened = openNote(linesBy(2, PETER_LINE) + ENOCH_LINE.repeat(3), [peter]);
    expect(opened.verified).toHaveLength(1);
    expect(opened.unverified).toHaveLength(1);
  });

  test('is refused without a signature by a known key, or with a bad one', () => {
    expect(codeOf(() => openNote(PETER_NOTE, [enoch]))).toBe('signature');
    expect(codeOf(() => openNote(PETER_NOTE, []))).toBe('signature');
    expect(codeOf(() => openNote(PETER_NOTE.replace('If', 'if'), [peter]))).toBe('signature');
    expect(codeOf(() => openNote(PETER_NOTE.replace('/ZJk', '/ZJl'), [peter]))).toBe('signature');
    expect(codeOf(() => openNote(PETER_NOTE.replace('x08go/', 'x08gp/'), [peter]))).toBe('signature');
    expect(codeOf(() => openNote(PETER_NOTE, [peter, peter]))).toBe('signature');
  });

  test('is refused with a word of who signed it, and of which key is known', () => {
    expect(() => openNote(PETER_NOTE, [enoch])).toThrow(
      /no signature by a known key: it is signed by PeterNeumann\+[0-9a-f]{8}, and what is known is EnochRoot\+[0-9a-f]{8}$/,
    );
    expect(() => openNote(PETER_NOTE, [])).toThrow(/what is known is nobody$/);
  });

  test('is refused when a known key signed badly, whoever else signed well', () => {
    const forged = PETER_LINE.replace('/ZJk', '/ZJl');
    expect(codeOf(() => openNote(`${TEXT}\n${ENOCH_LINE}${forged}`, [peter, enoch]))).toBe('signature');
  });

  test.each([
    ['nothing', ''],
    ['a text without signatures', TEXT],
    ['no blank line', TEXT + PETER_LINE],
    ['no signature line', `${TEXT}\n`],
    ['no final newline', PETER_NOTE.slice(0, -1)],
    ['a blank line at the end', `${PETER_NOTE}\n`],
    ['a line that is no signature', `${PETER_NOTE}Peter\n`],
    ['a hyphen for the dash', PETER_NOTE.replace('—', '-')],
    ['two spaces after the dash', PETER_NOTE.replace('— ', '—  ')],
    ['a signature without a name', `${TEXT}\n— x08go/ZJ\n`],
    ['a name with a plus', PETER_NOTE.replace('PeterN', 'Peter+N')],
    ['a name with a no-break space', PETER_NOTE.replace('PeterN', 'Peter\u00a0N')],
    ['base64 that is none', PETER_NOTE.replace('x08go', 'x08g*')],
    ['base64 without padding', PETER_NOTE.replace('nAM=', 'nAM')],
    ['base64 with loose bits', PETER_NOTE.replace('nAM=', 'nAN=')],
    ['a signature of four bytes', `${TEXT}\n— PeterNeumann x08gow==\n`],
    ['a carriage return', PETER_NOTE.replaceAll('\n', '\r\n')],
    ['a control character', PETER_NOTE.replace('If', 'I\u0007')],
    ['a zero byte', PETER_NOTE.replace('If', 'I\u0000')],
    ['too many signatures', linesBy(101, PETER_LINE)],
    ['half a surrogate pair', PETER_NOTE.replace('If', '\ud800')],
    ['too much text', `${'a'.repeat(2 ** 20)}\n\n${PETER_LINE}`],
  ])('is refused with %s', (_, note) => expect(codeOf(() => openNote(note, [peter]))).toBe('format'));

  test('allows a hundred signatures', () => {
    expect(openNote(linesBy(100, PETER_LINE), [peter]).verified).toHaveLength(1);
  });

  test('is refused for bytes that are not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from([0xc3, 0x28]), Buffer.from(PETER_NOTE)]);
    expect(codeOf(() => openNote(bytes, [peter]))).toBe('format');
  });

  test('is refused whichever bit is turned over', () => {
    const bytes = Buffer.from(PETER_NOTE);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      expect(codeOf(() => openNote(withFlippedBit(bytes, bit), [peter]))).toMatch(/^(format|signature)$/);
    }
  });
});
