/** Who may ask what, and in whose name a look is recorded. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../protocol/bytes.js';
import { isPlain } from '../../../protocol/plain-text.js';
import { bearerOf, parseTokens, ROLES, tokenHash, tokenLine, tokenOf } from '../../../tracer/api/tokens.js';
import { readAccess } from './looks.js';
import { LOCAL, OFFICER, OPERATOR, realApi, refusalOf, serve, TOKENS } from './stage.js';

const request = { case: '1', direction: 'forward', hops: 1, minSeconds: 900, latentSeconds: 0 };
const QUESTIONS: readonly (readonly [string, object])[] = [
  ['/v1/trace', { purpose: 'p', request }],
  ['/v1/path', { purpose: 'p', request: { ...request, person: '2' } }],
  ['/v1/contacts', { purpose: 'p', request: { person: '2' } }],
  ['/v1/evidence', { purpose: 'p', request }],
];

describe('a token', () => {
  it.each(QUESTIONS)('is needed at %s, and one for machines is not enough there', async (path, body) => {
    const { api, log } = await realApi();
    const { post, url, lines } = await serve(api);
    const before = log.entries.length;
    const bare = await fetch(new URL(path, url), { method: 'POST', body: JSON.stringify(body) });
    expect(bare.headers.get('www-authenticate')).toBe('Bearer');
    expect(await refusalOf(bare)).toMatchObject({
      status: 401,
      code: 'permission',
      message: expect.stringContaining('authorization: Bearer TOKEN') as string,
    });
    expect(await refusalOf(await post(path, body, 'fbt_other'))).toMatchObject({
      status: 401,
      code: 'permission',
      message: expect.stringContaining('not known here') as string,
    });
    expect(await refusalOf(await post(path, body, OPERATOR))).toMatchObject({
      status: 403,
      code: 'permission',
    });
    expect(log.entries.length).toBe(before);
    expect((await post(path, body, OFFICER)).status).toBe(200);
    expect(log.entries.length).toBe(before + 1);
    expect(lines.join()).not.toMatch(/fbt_|pager|Wu/);
  });

  it.each(['/v1/health', '/v1/doubts', '/metrics'])(
    'is needed at %s, an operator’s or an officer’s',
    async (path) => {
      const { get } = await serve((await realApi()).api);
      expect((await get(path, 'fbt_other')).status).toBe(401);
      expect((await get(path, OPERATOR)).status).toBe(200);
      expect((await get(path, OFFICER)).status).toBe(200);
    },
  );

  it('is asked for before the body is read', async () => {
    const { post } = await serve((await realApi()).api);
    expect((await post('/v1/trace', 'x'.repeat(20_000), 'fbt_other')).status).toBe(401);
  });

  it('says who looks, and no question can name another', async () => {
    const { api, log } = await realApi();
    const { post } = await serve(api);
    const before = log.entries.length;
    const named = (officer: string) => ({ officer, purpose: 'p', request });
    expect(await refusalOf(await post('/v1/trace', named('Dr. Ada')))).toMatchObject({ status: 403 });
    expect(log.entries.length).toBe(before);
    expect((await post('/v1/trace', named('Dr. Wu'))).status).toBe(200);
    expect((await post('/v1/trace', { purpose: 'p', request })).status).toBe(200);
    expect(readAccess(log).officer).toBe('Dr. Wu');
    expect((await post('/v1/trace', named('Dr. Ada'), LOCAL)).status).toBe(200);
    expect(readAccess(log).officer).toBe('Dr. Ada');
  });

  it.each(['Dr.\nAda', 'Dr. \u009b8mAda', 'Dr. \u202eAda', 'Dr. \u2028Ada'])(
    'looks at nothing in a name, or for a purpose, that is not plain: %j',
    async (words) => {
      const { api, log } = await realApi();
      const { post } = await serve(api);
      const before = log.entries.length;
      const cases = [{ tag: '1' }, { tag: '2' }];
      const walk = { hops: 1, minSeconds: 900, latentSeconds: 0 };
      for (const [path, question] of [
        ...QUESTIONS,
        ['/v1/cluster', { request: { cases, ...walk } }],
      ] as const)
        for (const said of [{ purpose: words }, { purpose: 'ward outbreak', officer: words }])
          expect(await refusalOf(await post(path, { ...question, ...said }, LOCAL)), path).toMatchObject({
            ...{ status: 400, code: 'input' },
            message: expect.stringContaining('without control or format characters') as string,
          });
      expect(log.entries.length).toBe(before);
    },
  );

  it('that is taken back is worth nothing from the next request on', async () => {
    let tokens = TOKENS;
    const { get } = await serve((await realApi()).api, { tokens: () => tokens });
    expect((await get('/v1/health')).status).toBe(200);
    tokens = TOKENS.slice(0, 2);
    expect((await get('/v1/health')).status).toBe(401);
  });
});

const random = fc.uint8Array({ minLength: 32, maxLength: 32 });
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((text) => text.trim() === text && isPlain(text));
const roles = fc.shuffledSubarray([...ROLES], { minLength: 1 });

describe('a file of tokens', () => {
  it('gives each its name and roles, and holds no token', () => {
    const tokens = fc.uniqueArray(fc.tuple(random, name, roles), {
      maxLength: 5,
      selector: ([bytes]) => toHex(bytes),
    });
    fc.assert(
      fc.property(tokens, (made) => {
        const lines = made.map(([bytes, who, may]) => tokenLine(tokenOf(bytes), who, may));
        const text = `# a comment\n\n${lines.join('')}`;
        const known = parseTokens(text);
        for (const [bytes, officer, may] of made) {
          const token = tokenOf(bytes);
          const bearer = bearerOf(token, known);
          expect(bearer?.officer).toBe(officer);
          expect(new Set(bearer?.roles)).toEqual(new Set(may));
          expect(text).not.toContain(token);
          expect(bearerOf(token.slice(0, -1), known)).toBeUndefined();
        }
      }),
    );
  });

  const hash = toHex(tokenHash('t'));
  it.each([
    ['a token in place of its hash', `${tokenOf(new Uint8Array(32))} officer Dr. Wu`],
    ['a hash in capitals', `${hash.toUpperCase()} officer Dr. Wu`],
    ['a role that is none', `${hash} owner Dr. Wu`],
    ['a role given twice', `${hash} officer,officer Dr. Wu`],
    ['no name', `${hash} officer`],
    ['a name with a space at its end', `${hash} officer Dr. Wu `],
    ['a name that a record has no room for', `${hash} officer ${'ü'.repeat(129)}`],
    ['a name that turns the line', `${hash} officer Dr. \u202eWu`],
    ['a hash of another line', `${hash} officer Dr. Ito\n${hash} operator Dr. Wu`],
  ])('is refused for %s, and the line’s words are not repeated', (_what, line) => {
    const message = expect.not.stringMatching(/Wu|Ito|fbt_|[0-9a-f]{16}/i) as string;
    expect(() => parseTokens(`# first\n${line}\n`)).toThrow(
      expect.objectContaining({ code: 'damaged', message }),
    );
  });

  it.each(['', ' Dr. Wu', 'Dr.\nWu', 'Dr. \u202eWu', 'ü'.repeat(129)])(
    'takes no name such as %j',
    (officer) => {
      expect(() => tokenLine('fbt_x', officer, ['officer'])).toThrow(
        expect.objectContaining({ code: 'input' }),
      );
    },
  );
});
