import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parseContactLine } from '../../firmware-sim/recorded/contact-lines.js';
import { recordingBuilder } from '../../firmware-sim/recorded/contact-recording.js';
import { readContactsFile } from '../../firmware-sim/recorded/contacts-file.js';
import { planVisits } from '../../firmware-sim/recorded/visit-plan.js';

const SHIFT = 1_700_006_400;
const parse = (text: string) => parseContactLine(text, 7, 'school.txt');
const folder = mkdtempSync(join(tmpdir(), 'firebreak-contacts-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function fileOf(content: string | Uint8Array): string {
  const path = join(folder, `${(files += 1)}.txt`);
  writeFileSync(path, content);
  return path;
}

describe('a contact line', () => {
  it('may be separated by tabs, spaces or commas, and name classes', () => {
    const expected = { t: SHIFT + 31_220, i: 1157, j: 1232 };
    const forms = [
      '31220\t1157\t1232',
      '31220 1157 1232',
      '31220,1157,1232',
      ' 31220 ,  1157 , 1232 \r',
      '31220 1157 1232 MP*1 2BIO1',
    ];
    for (const form of forms) expect(parse(form)).toEqual(expected);
  });

  it('is shifted only below one thousand million', () => {
    expect(parse('999999980 1 2')?.t).toBe(SHIFT + 999_999_980);
    expect(parse('1000000000 1 2')?.t).toBe(1_000_000_000);
  });

  it('is nothing when blank or a comment', () => {
    for (const text of ['', '   ', '\r', '# t i j', '  # x']) expect(parse(text)).toBeUndefined();
  });

  it('takes persons up to 2^48 - 1', () => {
    expect(parse('20 0 281474976710655')?.j).toBe(2 ** 48 - 1);
    expect(() => parse('20 0 281474976710656')).toThrow('the person j');
  });

  it.each([
    ['21 1 2', 'multiple of 20'],
    ['20 1', 'found 2 fields'],
    ['20 1 2 A', 'found 4 fields'],
    ['20 1 2 A B C', 'found 6 fields'],
    ['20,,2', 'a field is empty'],
    ['20,1,2,', 'found 4 fields'],
    ['x 1 2', 'the time t'],
    ['-20 1 2', 'the time t'],
    ['20.0 1 2', 'the time t'],
    ['1700006400000 1 2', 'too large'],
    ['20 a 2', 'the person i'],
    ['20 1 -2', 'the person j'],
    ['20 1 1e3', 'the person j'],
    ['20;1;2', 'found 1 field'],
  ])('is refused as "%s", naming file, line and fault', (text, fault) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'input' }));
    expect(() => parse(text)).toThrow(fault);
    expect(() => parse(text)).toThrow('school.txt, line 7');
  });

  it('gives back whatever numbers were written', () => {
    const person = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    const separator = fc.constantFrom('\t', ' ', ',', ', ', '   ');
    fc.assert(
      fc.property(fc.nat(49_999_999), person, person, separator, (step, i, j, between) => {
        expect(parse([step * 20, i, j].join(between))).toEqual({ t: SHIFT + step * 20, i, j });
      }),
    );
  });
});

describe('a recording', () => {
  const recordingOf = (...lines: [number, number, number][]) => {
    const builder = recordingBuilder();
    for (const [t, i, j] of lines) builder.add({ t: SHIFT + t, i, j });
    return builder.finish('here');
  };
  const at = (seconds: number) => (SHIFT + seconds) * 1000;

  it('joins steps that touch, in any order and either direction, and counts what comes twice once', () => {
    const recording = recordingOf([60, 9, 4], [40, 4, 9], [40, 9, 4], [100, 4, 9], [60, 4, 4]);
    expect(recording).toEqual({
      persons: [4, 9],
      contacts: [
        { a: 0, b: 1, startMs: at(20), endMs: at(60) },
        { a: 0, b: 1, startMs: at(80), endMs: at(100) },
      ],
      lines: 3,
      duplicates: 1,
      selfContacts: 1,
      startMs: at(20),
      endMs: at(100),
    });
  });

  it('is refused when nobody met anybody', () => {
    expect(() => recordingOf([20, 3, 3])).toThrow(expect.objectContaining({ code: 'input' }));
  });

  it('is the same for any order of its lines', () => {
    const line = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat(5), fc.nat(5));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 60 }), fc.context(), (drawn, context) => {
        const lines = [[20, 90, 91] as const, ...drawn.map(([step, i, j]) => [step * 20, i, j] as const)];
        context.log(JSON.stringify(lines));
        const forth = recordingOf(...lines.map(([t, i, j]): [number, number, number] => [t, i, j]));
        const back = recordingOf(...lines.map(([t, i, j]): [number, number, number] => [t, j, i]).reverse());
        expect(back).toEqual(forth);
        const steps = forth.contacts.reduce((sum, { startMs, endMs }) => sum + (endMs - startMs) / 20_000, 0);
        expect(steps).toBe(forth.lines);
      }),
    );
  });

  it('plans a visit after each hour in which a tag logged something, and credentials until the last', () => {
    const evening = 86_400 - 3600; // the visit falls on the next day
    const [first, second, third] = planVisits(recordingOf([20, 1, 2], [3620, 1, 2], [evening + 20, 2, 3]));
    expect(first?.visitsMs).toEqual([at(3600 + 120), at(7200 + 120)]);
    expect(second?.visitsMs).toEqual([at(3600 + 120), at(7200 + 120), at(86_400 + 120)]);
    expect([first, second, third].map((plan) => (plan?.lastDay ?? 0) - (plan?.firstDay ?? 0))).toEqual([
      0, 1, 1,
    ]);
  });
});

describe('a file of contacts', () => {
  const text = '# a school\n\n31220\t1\t2\tA\tB\n31240\t2\t1\tB\tA\r\n31240 3 3';

  it('is read plain or compressed, with or without a last line end', async () => {
    const plain = await readContactsFile(fileOf(text));
    expect(plain).toMatchObject({ persons: [1, 2], lines: 2, selfContacts: 1 });
    expect(await readContactsFile(fileOf(gzipSync(text)))).toEqual(plain);
    expect(await readContactsFile(fileOf(`\uFEFF${text}\n`))).toEqual(plain);
  });

  it('is refused with the number of the line that is wrong', async () => {
    const path = fileOf('31220 1 2\n# fine\n31221 1 2\n');
    await expect(readContactsFile(path)).rejects.toThrow(
      `${path}, line 3: the time t is not a multiple of 20`,
    );
  });

  it('is refused when it is missing, a folder, cut-off gzip, or one endless line', async () => {
    const refused = (path: string) => expect(readContactsFile(path)).rejects.toMatchObject({ code: 'input' });
    await refused(join(folder, 'missing.txt'));
    await refused(folder);
    await refused(fileOf(gzipSync(text.repeat(500)).subarray(0, 60)));
    await refused(fileOf('1'.repeat(200_000)));
    await refused(fileOf(''));
  });
});
