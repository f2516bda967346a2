import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeTlogProof, encodeTlogProof, type TlogProof } from '../../protocol/tlog/tlog-proof.js';
import { codeOf, withFlippedBit } from './errors-of.js';

/** The example of c2sp.org/tlog-proof as it stands there, but for its extra line, which is cut off in mid-base64. */
const EXAMPLE = `c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

— example.com/fancylog hI2DJw[...]1roloI=
— witness1.example mJirIklj[...]qY9v2B/5bg==
`;
const HASH = 'gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=';

const proofs: fc.Arbitrary<TlogProof> = fc.record({
  extra: fc.option(fc.uint8Array({ minLength: 1, maxLength: 200 }), { nil: undefined }),
  index: fc.maxSafeNat(),
  hashes: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 53 }),
  checkpoint: fc.string({ unit: 'grapheme', maxLength: 100 }).map((text) => `x${text}\n`),
});

describe('a tlog-proof file', () => {
  test('of the specification is taken apart and put together again', () => {
    const proof = decodeTlogProof(EXAMPLE);
    expect(Buffer.from(proof.extra ?? []).toString()).toBe('age-v1.2.1-darwin-arm64.tar.gz');
    expect(proof.index).toBe(73894);
    expect(proof.hashes).toHaveLength(5);
    expect(Buffer.from(proof.hashes[0] ?? []).toString('base64')).toBe(HASH);
    expect(proof.checkpoint.split('\n')[0]).toBe('example.com/fancylog');
    expect(encodeTlogProof(proof)).toBe(EXAMPLE);
    expect(decodeTlogProof(Buffer.from(EXAMPLE))).toEqual(proof);
  });

  test('need not have extra data nor hashes', () => {
    const proof = { extra: undefined, index: 0, hashes: [], checkpoint: 'checkpoint\n' };
    expect(encodeTlogProof(proof)).toBe('c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n');
    expect(decodeTlogProof(encodeTlogProof(proof))).toEqual(proof);
  });

  test('comes back as it was written', () => {
    fc.assert(
      fc.property(proofs, (proof) => {
        expect(decodeTlogProof(encodeTlogProof(proof))).toEqual(proof);
        expect(decodeTlogProof(Buffer.from(encodeTlogProof(proof)))).toEqual(proof);
      }),
    );
  });

  test('with any bit turned over is refused or means something else, and then it encodes to just those bytes', () => {
    const bytes = Buffer.from(EXAMPLE);
    const original = decodeTlogProof(bytes);
    let refused = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const mangled = withFlippedBit(bytes, bit);
      if (codeOf(() => decodeTlogProof(mangled)) === 'format') {
        refused += 1;
        continue;
      }
      const proof = decodeTlogProof(mangled);
      expect(proof, `bit ${bit}`).not.toEqual(original);
      expect(Buffer.compare(Buffer.from(encodeTlogProof(proof)), mangled), `bit ${bit}`).toBe(0);
    }
    expect(refused).toBeGreaterThan(1000);
  });

  test.each([
    ['nothing', ''],
    ['another header', EXAMPLE.replace('@v1', '@v2')],
    ['a byte order mark', `\ufeff${EXAMPLE}`],
    ['lines that end as on Windows', EXAMPLE.replaceAll('\n', '\r\n')],
    ['an empty extra line', EXAMPLE.replace(/extra .*/, 'extra ')],
    ['extra data that is not base64', EXAMPLE.replace(/extra .*/, 'extra !!')],
    ['extra data that is not canonical base64', EXAMPLE.replace(/extra .*/, 'extra YWd=')],
    ['extra data in the alphabet for URLs', EXAMPLE.replace(/extra .*/, 'extra _-8=')],
    ['extra data twice', EXAMPLE.replace('index', 'extra YWdl\nindex')],
    ['extra data after the index', EXAMPLE.replace(HASH, `extra YWdl\n${HASH}`)],
    ['no index', EXAMPLE.replace('index 73894\n', '')],
    ['an index with a leading zero', EXAMPLE.replace('index 7', 'index 07')],
    ['a negative index', EXAMPLE.replace('index 7', 'index -7')],
    ['an index that is no number', EXAMPLE.replace('73894', 'seven')],
    ['an index beyond 2^53', EXAMPLE.replace('73894', '9007199254740992')],
    ['an index with white space after it', EXAMPLE.replace('73894', '73894 ')],
    ['a hash of 31 bytes', EXAMPLE.replace(HASH, Buffer.alloc(31).toString('base64'))],
    ['a hash of 64 bytes', EXAMPLE.replace(HASH, Buffer.alloc(64).toString('base64'))],
    ['a hash with unused bits set', EXAMPLE.replace('PlQ=', 'PlR=')],
    ['more hashes than any tree needs', EXAMPLE.replace(HASH, `${HASH}\n`.repeat(60).trimEnd())],
    ['no blank line', EXAMPLE.replaceAll('\n\n', '\n')],
    ['no checkpoint', `${EXAMPLE.split('\n\n')[0]}\n\n`],
    ['two blank lines before the checkpoint', EXAMPLE.replace('\n\n', '\n\n\n')],
    ['a checkpoint without its last newline', EXAMPLE.trimEnd()],
    ['more than 2 MiB', `${EXAMPLE}${'é'.repeat(1 << 20)}\n`],
  ])('with %s is refused', (_what, text) => {
    expect(codeOf(() => decodeTlogProof(text))).toBe('format');
    expect(codeOf(() => decodeTlogProof(Buffer.from(text)))).toBe('format');
  });

  test('that is not UTF-8 is refused', () => {
    expect(codeOf(() => decodeTlogProof(Buffer.concat([Buffer.from(EXAMPLE), Buffer.of(0xff, 10)])))).toBe(
      'format',
    );
  });

  test.each<[string, Partial<TlogProof>]>([
    ['empty extra data', { extra: new Uint8Array() }],
    ['an index of half', { index: 0.5 }],
    ['a negative index', { index: -1 }],
    ['a short hash', { hashes: [new Uint8Array(31)] }],
    ['too many hashes', { hashes: Array.from({ length: 54 }, () => new Uint8Array(32)) }],
    ['an empty checkpoint', { checkpoint: '' }],
    ['a checkpoint that begins with a blank line', { checkpoint: '\nx\n' }],
    ['more than 2 MiB of checkpoint', { checkpoint: `${'é'.repeat(1 << 20)}\n` }],
  ])('is not written with %s', (_what, change) => {
    const proof = { ...decodeTlogProof(EXAMPLE), ...change };
    expect(codeOf(() => encodeTlogProof(proof))).toBe('format');
  });
});
