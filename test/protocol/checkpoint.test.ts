import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asTreeSize } from '../../protocol/brands.js';
import {
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  signCheckpoint,
} from '../../protocol/tlog/checkpoint.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { emptyRoot } from '../../protocol/tlog/merkle.js';
import { noteSigner, signNote } from '../../protocol/tlog/note.js';
import { codeOf } from './errors-of.js';

/** The example of C2SP tlog-checkpoint. */
const EXAMPLE = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
const signer = noteSigner('example.com/behind-the-sofa', fastSigner(new Uint8Array(32).fill(3)));
const other = noteSigner('example.com/another-sofa', fastSigner(new Uint8Array(32).fill(3)));

describe('a checkpoint', () => {
  test('is read and written as C2SP tlog-checkpoint shows it', () => {
    const checkpoint = parseCheckpoint(EXAMPLE);
    expect(checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 });
    expect(formatCheckpoint(checkpoint)).toBe(EXAMPLE);
  });

  test('comes back from its signed note, for any log', () => {
    const roots = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), roots, (size, root) => {
        const checkpoint = { origin: signer.name, size: asTreeSize(size), root: new Uint8Array(root) };
        expect(openCheckpoint(signCheckpoint(checkpoint, signer), signer)).toEqual(checkpoint);
      }),
      { numRuns: 50 },
    );
  });

  test('of an empty log has the empty root and no other', () => {
    const empty = { origin: 'a', size: asTreeSize(0), root: emptyRoot() };
    expect(parseCheckpoint(formatCheckpoint(empty))).toMatchObject({ size: 0 });
    expect(codeOf(() => formatCheckpoint({ ...empty, root: new Uint8Array(32) }))).toBe('format');
    expect(codeOf(() => parseCheckpoint(EXAMPLE.replace('20852163', '0')))).toBe('format');
  });

  test.each([
    ['an extension line', `${EXAMPLE}more\n`],
    ['a blank line', `${EXAMPLE}\n`],
    ['no final newline', EXAMPLE.slice(0, -1)],
    ['two lines', EXAMPLE.split('\n').slice(0, 2).join('\n') + '\n'],
    ['no origin', EXAMPLE.replace('example.com/behind-the-sofa', '')],
    ['a leading zero', EXAMPLE.replace('208', '0208')],
    ['a sign', EXAMPLE.replace('208', '+208')],
    ['a hexadecimal size', EXAMPLE.replace('208', '0x208')],
    ['a size over 2^53', EXAMPLE.replace('20852163', '9007199254740992')],
    ['no size', EXAMPLE.replace('20852163', '')],
    ['base64 with loose bits', EXAMPLE.replace('q2I=', 'q2J=')],
    ['base64 without padding', EXAMPLE.replace('q2I=', 'q2I')],
    ['a root of 31 bytes', EXAMPLE.replace('jxq2I=', 'jxqw==')],
    ['a space after the root', EXAMPLE.replace('q2I=', 'q2I= ')],
  ])('is refused with %s', (_, text) => expect(codeOf(() => parseCheckpoint(text))).toBe('format'));

  test('is not written with an origin of two lines', () => {
    const checkpoint = parseCheckpoint(EXAMPLE);
    expect(codeOf(() => formatCheckpoint({ ...checkpoint, origin: 'a\nb' }))).toBe('format');
    expect(codeOf(() => formatCheckpoint({ ...checkpoint, root: new Uint8Array(31) }))).toBe('format');
  });

  test('of another log is refused, also when the right key signed it', () => {
    const note = signNote(EXAMPLE.replace('behind-the', 'under-the'), [signer]);
    expect(codeOf(() => openCheckpoint(note, signer))).toBe('foreign');
    expect(codeOf(() => openCheckpoint(signNote(EXAMPLE, [other]), signer))).toBe('signature');
    expect(codeOf(() => openCheckpoint(signNote(`${EXAMPLE}more\n`, [signer]), signer))).toBe('format');
  });
});
