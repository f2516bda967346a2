/** What one tag, or one who gives out numbers, can cost the log and everybody else: a bounded amount. */
import { describe, expect, it } from 'vitest';
import { openAuthority } from '../../authority/authority.js';
import { asTagNumber } from '../../protocol/brands.js';
import { openCredentialPack, type CredentialPack } from '../../protocol/tag/credential-pack.js';
import { resolveEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { AskingTag, issuer, newAuthority, newWorld, secretOf, TODAY, type World } from './fixture.js';

const NUMBER = asTagNumber(17);
const issuances = (world: World) => world.posted.filter(({ type }) => type === 9).length;

/** A tag that asks for the same epoch keys under reply keys of its choice. */
class RenewingTag extends AskingTag {
  replyNumber = 0;

  override request(firstDay: number, days: number) {
    const { publicKey } = x25519KeyPair(secretOf(`reply ${this.replyNumber}`));
    return { ...super.request(firstDay, days), replyPublicKey: publicKey };
  }

  override open(sealed: Uint8Array): CredentialPack {
    const { secretKey } = x25519KeyPair(secretOf(`reply ${this.replyNumber}`));
    return openCredentialPack(sealed, secretKey, issuer.publicKey);
  }
}

async function enrolled() {
  const { authority, world } = await newAuthority();
  const tag = new RenewingTag('a');
  const pack = tag.open(await authority.enrol(tag.firstRequest(TODAY, 2), NUMBER));
  const renew = (replyNumber: number, atDay = TODAY) => {
    tag.replyNumber = replyNumber;
    return authority.renew(tag.renewal(pack, atDay, TODAY + 2, 1));
  };
  return { authority, world, renew };
}

describe('a tag that asks for the same credentials again and again', () => {
  it('has each of its requests in the log once, in whatever order they come', async () => {
    const { authority, world, renew } = await enrolled();
    for (const reply of [0, 1, 0, 1, 1, 0]) await renew(reply);
    expect(issuances(world)).toBe(1 + 2);
    await authority.close();
    const again = await openAuthority(world.deps);
    const tag = new RenewingTag('a');
    tag.open(await again.enrol(tag.firstRequest(TODAY, 2), NUMBER));
    expect(issuances(world)).toBe(1 + 2);
    await again.close();
  });

  it('has sixteen new ones answered a day, is told so, and has more on the next day', async () => {
    const { authority, world, renew } = await enrolled();
    for (let reply = 1; reply < 16; reply += 1) await renew(reply);
    await expect(renew(16)).rejects.toMatchObject({ code: 'busy', message: expect.stringContaining('tomorrow') as string }); // prettier-ignore
    expect(issuances(world)).toBe(16);
    expect((await renew(3)).length).toBeGreaterThan(0);
    world.clock.set(TODAY + 1);
    await renew(16, TODAY + 1);
    expect(issuances(world)).toBe(17);
    await authority.close();
  });

  it('is bounded over a restart too, and holds up no other tag', async () => {
    const { authority, world, renew } = await enrolled();
    for (let reply = 1; reply < 16; reply += 1) await renew(reply);
    await authority.close();
    const again = await openAuthority(world.deps);
    const tag = new RenewingTag('a');
    tag.replyNumber = 99;
    await expect(again.enrol(tag.firstRequest(TODAY, 2), NUMBER)).rejects.toMatchObject({ code: 'busy' });
    await again.enrol(new AskingTag('b').firstRequest(TODAY, 1), asTagNumber(18));
    await again.close();
  });

  it('has a request that it repeats answered thirty-two times a day', async () => {
    const { authority, world, renew } = await enrolled();
    let answered = 0;
    for (; answered < 50 && (await renew(1).catch(() => undefined)) !== undefined; answered += 1);
    expect(answered).toBe(31); // and the enrolment
    expect(issuances(world)).toBe(2);
    world.clock.set(TODAY + 1);
    await renew(1, TODAY + 1);
    await authority.close();
  });
});

describe('a number that is given by hand', () => {
  it.each([2 ** 48 - 1, 2 ** 48 - 2 ** 40])('is not %s, above which few are left', async (number) => {
    const { authority } = await newAuthority();
    const asked = authority.enrol(new AskingTag('a').firstRequest(TODAY, 1), asTagNumber(number));
    await expect(asked).rejects.toMatchObject({ code: 'input' });
    await authority.close();
  });

  it('leaves free ones to tags that bring none, however high it is', async () => {
    const world = newWorld();
    const authority = await openAuthority(world.deps);
    const highest = 2 ** 48 - 2 ** 40 - 1;
    await authority.enrol(new AskingTag('a').firstRequest(TODAY, 1), asTagNumber(highest));
    const tag = new AskingTag('b');
    const pack = tag.open(await authority.enrol(tag.firstRequest(TODAY, 1)));
    const keys = await world.deps.dayKeys.get(TODAY);
    const ephId = pack.days[0]?.epochs[0]?.ephId;
    expect(keys && ephId && resolveEphemeralId(keys.idKey, ephId)?.tag).toBe(highest + 1);
    await authority.close();
  });
});
