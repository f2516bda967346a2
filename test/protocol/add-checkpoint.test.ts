import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeAddCheckpoint,
  decodeTlogSize,
  encodeAddCheckpoint,
  encodeTlogSize,
} from '../../protocol/tlog/add-checkpoint.js';
import { parseForeignCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { readNote } from '../../protocol/tlog/note.js';
import { codeOf } from './errors-of.js';

/** The request that C2SP tlog-witness gives as its example. */
const EXAMPLE = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
`;

test('the example of the specification goes to its parts and back', () => {
  const request = decodeAddCheckpoint(Buffer.from(EXAMPLE));
  expect(request.oldSize).toBe(20852014);
  expect(request.proof).toHaveLength(4);
  const { text, signatures } = readNote(request.checkpoint);
  expect(parseForeignCheckpoint(text)).toMatchObject({
    origin: 'example.com/behind-the-sofa',
    size: 20852163,
  });
  expect(signatures).toHaveLength(2);
  expect(encodeAddCheckpoint(request)).toBe(EXAMPLE);
});

test('any request goes to text and back', () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const request = fc.record({
    oldSize: fc.maxSafeNat(),
    proof: fc.array(hash, { maxLength: 63 }),
    checkpoint: fc.string({ minLength: 1 }),
  });
  fc.assert(
    fc.property(request, (value) => {
      expect(decodeAddCheckpoint(Buffer.from(encodeAddCheckpoint(value)))).toEqual(value);
    }),
  );
});

test('a body of 409 is a decimal and a newline, and nothing else', () => {
  for (const size of [0, 7, Number.MAX_SAFE_INTEGER])
    expect(decodeTlogSize(Buffer.from(encodeTlogSize(size)))).toBe(size);
  for (const wrong of ['', '7', '07\n', '-1\n', '7\n\n', '7\r\n', ' 7\n', '1e3\n', '9007199254740992\n'])
    expect(codeOf(() => decodeTlogSize(Buffer.from(wrong)))).toBe('format');
});

test('a checkpoint of another log may have extension lines, none of them empty', () => {
  const root = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';
  expect(parseForeignCheckpoint(`a\n5\n${root}\nmore\nand more\n`).size).toBe(5);
  for (const wrong of [
    `a\n5\n${root}`,
    `a\n5\n${root}\n\n`,
    `a\n5\n${root}\nmore`,
    'a\n5\n',
    `\n5\n${root}\n`,
  ])
    expect(codeOf(() => parseForeignCheckpoint(wrong))).toBe('format');
});
