import { describe, expect, test } from 'vitest';
import { asTreeSize } from '../../protocol/brands.js';
import { signCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { cosign, cosignerWithKey, formatCosignerKey } from '../../protocol/tlog/cosignature.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { noteSigner, noteVerifierKey, openNote, parseVerifierKey } from '../../protocol/tlog/note.js';
import { parsePolicy } from '../../protocol/tlog/policy-file.js';
import { describeQuorum, isQuorum, openWitnessedCheckpoint } from '../../protocol/tlog/witness-policy.js';
import real from '../vectors/cosigned-checkpoint.json' with { type: 'json' };
import { codeOf } from './errors-of.js';

const signerOf = (name: string) => fastSigner(sha256(Buffer.from(name)));
const witnessOf = (name: string) => cosignerWithKey(`witness.example/${name}`, signerOf(name));
const vkeyOf = (name: string) => formatCosignerKey(witnessOf(name));
const log = noteSigner('log.example', signerOf('log'));
const logKey = noteVerifierKey(log.name, log.publicKey);

const line = (name: string) => `witness ${name} ${vkeyOf(name)}\n`;
const lines = (...names: string[]) => names.map(line).join('');
/** The policy that tlog-policy gives as its example. */
const EXAMPLE = `log ${logKey}

${lines('X1', 'X2', 'X3')}group X-witnesses 2 X1 X2 X3

${lines('Y1', 'Y2', 'Y3')}group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`;
const example = parsePolicy(EXAMPLE);

const checkpoint = signCheckpoint(
  { origin: log.name, size: asTreeSize(7), root: sha256(Buffer.from('r')) },
  log,
);
const { text } = openNote(checkpoint, [log]);
const cosignedBy = (...names: string[]) =>
  checkpoint + names.map((name) => cosign(text, witnessOf(name), 1000)).join('');

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof FirebreakError) return `${error.code}: ${error.message}`;
  }
  return 'it was not refused';
}

describe('a policy file', () => {
  test('gives logs, witnesses, groups and the quorum', () => {
    expect(example.logs.map(({ verifier }) => verifier)).toEqual([parseVerifierKey(logKey)]);
    expect(example.witnesses.map(({ name }) => name)).toEqual(['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3']);
    expect(example.groups.map(({ threshold }) => threshold)).toEqual([2, 1, 2]);
    expect(describeQuorum(example)).toBe('2 of (2 of X1, X2, X3), (1 of Y1, Y2, Y3)');
  });

  test('may be indented, commented and name URLs', () => {
    const policy = parsePolicy(
      Buffer.concat([
        Buffer.from(
          `# who\n \t# else\n\n\tlog  ${logKey}\thttps://log.example/ \nwitness a ${vkeyOf('a')} http://a\n`,
        ),
        Buffer.from([0x23, 0xff, 0xfe, 0x0a]), // a comment need not be UTF-8
        Buffer.from('quorum a\n'),
      ]),
    );
    expect(policy.logs[0]?.url).toBe('https://log.example/');
    expect(policy.witnesses[0]?.url).toBe('http://a');
    expect(policy.quorum).toBe('a');
  });

  test('may ask for nobody', () => {
    const policy = parsePolicy('quorum none\n');
    expect(isQuorum(policy, new Set())).toBe(true);
    expect(describeQuorum(policy)).toBe('no witness');
  });

  test.each([
    ['no quorum', lines('a'), 'no quorum line'],
    ['two quorums', `${lines('a')}quorum a\nquorum a\n`, 'line 3 '],
    ['a quorum of someone unknown', 'quorum a\n', 'a is not defined'],
    ['a quorum defined later', `quorum a\n${lines('a')}`, 'line 1 '],
    ['a witness twice', `${lines('a', 'a')}quorum a\n`, 'same key'],
    ['two witnesses with one key', `${line('a')}witness b ${vkeyOf('a')}\nquorum a\n`, 'same key'],
    ['two witnesses with one name', `${line('a')}witness a ${vkeyOf('b')}\nquorum a\n`, 'defined already'],
    ['a log twice', `log ${logKey}\nlog ${logKey}\nquorum none\n`, 'same key'],
    ['a log with the key of a witness', `log ${vkeyOf('a')}\nquorum none\n`, 'type 1'],
    ['a witness with the key of a log', `witness a ${logKey}\nquorum a\n`, 'type 4'],
    ['a witness called none', `witness none ${vkeyOf('a')}\nquorum none\n`, 'called none'],
    ['a group called like a witness', `${lines('a')}group a all a\nquorum a\n`, 'defined already'],
    ['a member of two groups', `${lines('a')}group g all a\ngroup h all a\nquorum g\n`, 'member of a group'],
    ['a member named twice', `${lines('a')}group g 2 a a\nquorum g\n`, 'member of a group'],
    ['a group in itself', `group g all g\nquorum g\n`, 'not defined'],
    ['none as a member', `group g all none\nquorum g\n`, 'not defined'],
    ['a group of nobody', `group g all\nquorum none\n`, 'a group line'],
    ['a group that needs nobody', `${lines('a')}group g 0 a\nquorum g\n`, '1 to 1, not 0'],
    ['a group that needs too many', `${lines('a')}group g 2 a\nquorum g\n`, '1 to 1, not 2'],
    ['a number that is none', `${lines('a')}group g 1e0 a\nquorum g\n`, 'not 1e0'],
    ['an unknown word', 'wittness a b\nquorum none\n', 'line 1 '],
    ['words too many', `${lines('a')}quorum a b\n`, 'a quorum line'],
    ['a carriage return', 'quorum none\r\n', 'control character'],
    ['no newline at its end', 'quorum none', 'cut off'],
    ['nothing in it', '', 'no quorum line'],
    ['bytes that are not UTF-8', Buffer.from([0x71, 0xff, 0x0a]), 'not UTF-8'],
    ['too much in it', `${'#'.repeat(256 * 1024)}\n`, 'over 256 KiB'],
  ])('with %s is refused', (_, file, why) => {
    expect(messageOf(() => parsePolicy(file))).toMatch(/^format: /);
    expect(messageOf(() => parsePolicy(file))).toContain(why);
  });

  test('has room for as many witnesses as the specification asks', () => {
    const names = Array.from({ length: 32 }, (_, i) => `w${i}`);
    const policy = parsePolicy(`${lines(...names)}group all all ${names.join(' ')}\nquorum all\n`);
    expect(policy.witnesses).toHaveLength(32);
    const many = Array.from({ length: 65 }, (_, i) => `w${i}`);
    expect(messageOf(() => parsePolicy(lines(...many)))).toContain('more than 64 witnesses');
  });
});

describe('a checkpoint under a policy', () => {
  test('opens once the quorum cosigned, whoever else did', () => {
    expect(openWitnessedCheckpoint(cosignedBy('X1', 'X3', 'Y2'), log, example).size).toBe(7);
    expect(openWitnessedCheckpoint(cosignedBy('stranger', 'Y1', 'X1', 'X2', 'X3'), log, example).size).toBe(
      7,
    );
    expect(openWitnessedCheckpoint(checkpoint, log, parsePolicy('quorum none\n')).size).toBe(7);
    expect(openWitnessedCheckpoint(checkpoint, log).size).toBe(7);
  });

  test('is refused without it, with the names that are missing', () => {
    const refusal = (...names: string[]) =>
      messageOf(() => openWitnessedCheckpoint(cosignedBy(...names), log, example));
    expect(refusal()).toMatch(/^witness: .*missing X1, X2, X3, Y1, Y2, Y3$/);
    expect(refusal('X2')).toMatch(/missing X1, X3, Y1, Y2, Y3$/);
    expect(refusal('X2', 'X1')).toMatch(/missing Y1, Y2, Y3$/);
    expect(refusal('X2', 'Y1')).toMatch(/missing X1, X3$/);
    expect(refusal('Y1', 'Y2', 'Y3')).toMatch(/missing X1, X2, X3$/);
  });

  test('counts a witness once, however often it signed', () => {
    const twice = cosignedBy('X1', 'Y1') + cosign(text, witnessOf('X1'), 2000);
    expect(messageOf(() => openWitnessedCheckpoint(twice, log, example))).toMatch(/missing X2, X3$/);
  });

  test('is refused for a bad cosignature, also of a witness that was not needed', () => {
    const bad = cosign(text.replace('7', '8'), witnessOf('Y3'), 1000);
    const note = cosignedBy('X1', 'X2', 'Y1') + bad;
    expect(codeOf(() => openWitnessedCheckpoint(note, log, example))).toBe('signature');
  });

  test('is refused without the signature of the log', () => {
    const stranger = noteSigner('log.example', signerOf('stranger'));
    const policy = parsePolicy(`${lines('a')}quorum a\n`);
    expect(codeOf(() => openWitnessedCheckpoint(cosignedBy('a'), stranger, policy))).toBe('signature');
  });

  test('is refused under a policy for other logs', () => {
    const policy = parsePolicy(`log ${noteVerifierKey('other.example', log.publicKey)}\nquorum none\n`);
    expect(codeOf(() => openWitnessedCheckpoint(checkpoint, log, policy))).toBe('foreign');
  });

  test('of somebody else’s log opens with somebody else’s witnesses', () => {
    const witnesses = real.witnesses.map((vkey, i) => `witness w${i} ${vkey}\n`).join('');
    const all = `log ${real.log}\n${witnesses}group all all w0 w1 w2 w3\nquorum all\n`;
    expect(openWitnessedCheckpoint(real.note, parseVerifierKey(real.log), parsePolicy(all)).size).toBe(
      1432088532,
    );
    const more = `${witnesses}witness rgdd ${real.absentWitness}\ngroup all all w0 w1 w2 w3 rgdd\nquorum all\n`;
    expect(
      messageOf(() => openWitnessedCheckpoint(real.note, parseVerifierKey(real.log), parsePolicy(more))),
    ).toMatch(/missing rgdd$/);
  });
});
