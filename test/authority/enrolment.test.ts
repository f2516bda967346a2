import { describe, expect, it } from 'vitest';
import { openAuthority } from '../../authority/authority.js';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { toHex } from '../../protocol/bytes.js';
import { encodeCredentialRequest, signCredentialRequest } from '../../protocol/tag/credential-request.js';
import { encodeCredentialBody, verifyCredential } from '../../protocol/tag/credential.js';
import { authKeyOf, makeEphemeralId, resolveEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { credentialsRoot, decodeCredentialsPayload } from '../../protocol/payload/credentials.js';
import { encodeReportPlaintext } from '../../protocol/tag/report-plaintext.js';
import { EPOCHS_PER_DAY, firstEpochOfDay } from '../../protocol/time.js';
import {
  AskingTag,
  courierThat,
  issuer,
  newAuthority,
  newWorld,
  secretOf,
  TODAY,
  type World,
} from './fixture.js';

const NUMBER = asTagNumber(188_900_966_474_565);
const issuances = (world: World) => world.posted.filter(({ type }) => type === 9);
const refusal = (code: string) => expect.objectContaining({ code }) as FirebreakError;

describe('a first enrolment', () => {
  it('gives each epoch the ephemeral ID, auth key and credential that the protocol defines', async () => {
    const { authority, world } = await newAuthority();
    const tag = new AskingTag('a');
    const pack = tag.open(await authority.enrol(tag.firstRequest(TODAY, 2), NUMBER));
    expect(pack.days).toHaveLength(2);
    for (let epoch: number = firstEpochOfDay(TODAY); epoch < firstEpochOfDay(TODAY + 2); epoch += 1) {
      const day = Math.floor(epoch / EPOCHS_PER_DAY);
      const keys = await world.deps.dayKeys.get(day);
      const credential = tag.credential(pack, epoch);
      const kept = pack.days[day - TODAY]?.epochs[epoch % EPOCHS_PER_DAY];
      if (!keys || !kept) throw new Error('a day is missing');
      expect(kept.ephId).toEqual(makeEphemeralId(keys.idKey, NUMBER, asEpoch(epoch)));
      expect(kept.authKey).toEqual(authKeyOf(keys.macKey, kept.ephId));
      expect(verifyCredential(issuer.publicKey, credential)).toBe(true);
      expect(pack.days[day - TODAY]?.statement.sealingPublicKey).toEqual(keys.sealingPublicKey);
    }
  });

  it('is on record, with the root over its 53-byte bodies, before the pack is handed out', async () => {
    const order: string[] = [];
    const world = newWorld();
    const courier = courierThat(async (entries) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      world.posted.push(...entries);
      order.push(...entries.map(({ type }) => `entry ${type}`));
    });
    const authority = await openAuthority({ ...world.deps, courier });
    const tag = new AskingTag('a');
    const pack = tag.open(
      await authority.enrol(tag.firstRequest(TODAY, 1), NUMBER).finally(() => order.push('pack')),
    );
    expect(order.slice(-2)).toEqual(['entry 9', 'pack']);
    const payload = decodeCredentialsPayload(issuances(world)[0]?.payload ?? new Uint8Array());
    expect(payload.requestHash).toEqual(sha256(encodeCredentialRequest(tag.request(TODAY, 1))));
    const bodies = Array.from({ length: EPOCHS_PER_DAY }, (_, index) =>
      encodeCredentialBody(tag.credential(pack, firstEpochOfDay(TODAY) + index)),
    );
    expect(toHex(payload.root)).toBe(toHex(credentialsRoot(bodies)));
  });

  it('is refused, and nothing recorded, when its reply key is one that anybody could open', async () => {
    const { authority, world } = await newAuthority();
    const tag = new AskingTag('a');
    const request = { ...tag.request(TODAY, 1), replyPublicKey: new Uint8Array(32) };
    const bytes = signCredentialRequest(tag.epochSigner(firstEpochOfDay(TODAY)), request);
    await expect(authority.enrol(bytes, NUMBER)).rejects.toEqual(refusal('sealing'));
    expect(issuances(world)).toHaveLength(0);
    expect(tag.open(await authority.enrol(tag.firstRequest(TODAY, 1), NUMBER)).days).toHaveLength(1);
  });

  it('is answered again after midnight, when its answer was lost the day before', async () => {
    const { authority, world } = await newAuthority();
    const tag = new AskingTag('a');
    const lost = tag.open(await authority.enrol(tag.firstRequest(TODAY, 7), NUMBER));
    world.clock.set(TODAY + 1);
    const pack = tag.open(await authority.enrol(tag.firstRequest(TODAY + 1, 7), NUMBER));
    expect(pack.days.map(({ epochs }) => epochs).slice(0, 6)).toEqual(
      lost.days.map(({ epochs }) => epochs).slice(1),
    );
  });

  it('hands out nothing when its entry cannot be kept, and can be asked again', async () => {
    const world = newWorld();
    let isFull = false;
    const courier = courierThat(async () => {
      if (isFull) throw new FirebreakError('full', 'the spool is full');
    });
    const authority = await openAuthority({ ...world.deps, courier });
    await authority.ensureDayKeys(TODAY, TODAY + 1);
    const tag = new AskingTag('a');
    isFull = true;
    await expect(authority.enrol(tag.firstRequest(TODAY, 1), NUMBER)).rejects.toEqual(refusal('full'));
    isFull = false;
    expect(
      tag.open(await authority.enrol(new AskingTag('b', 'a').firstRequest(TODAY, 1), NUMBER)).days,
    ).toHaveLength(1);
  });

  it('refuses a second tag under a number that is taken', async () => {
    const { authority, world } = await newAuthority();
    await authority.enrol(new AskingTag('a').firstRequest(TODAY, 1), NUMBER);
    const other = authority.enrol(new AskingTag('b').firstRequest(TODAY, 1), NUMBER);
    await expect(other).rejects.toEqual(refusal('exists'));
    expect(issuances(world)).toHaveLength(1);
  });

  it('refuses one of two tags that ask for the same number at once', async () => {
    const { authority } = await newAuthority();
    const asked = ['a', 'b'].map((name) =>
      authority.enrol(new AskingTag(name).firstRequest(TODAY, 1), NUMBER),
    );
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('refuses the same epoch keys under a second number', async () => {
    const { authority } = await newAuthority();
    const tag = new AskingTag('a');
    await authority.enrol(tag.firstRequest(TODAY, 1), NUMBER);
    const second = authority.enrol(tag.firstRequest(TODAY, 1), asTagNumber(7));
    await expect(second).rejects.toEqual(refusal('exists'));
  });

  it('answers a repeated request with the same credentials, sealed afresh, and records it once', async () => {
    const { authority, world } = await newAuthority();
    const tag = new AskingTag('a');
    const first = await authority.enrol(tag.firstRequest(TODAY, 1));
    const again = await authority.enrol(tag.firstRequest(TODAY, 1));
    expect(again).not.toEqual(first);
    expect(tag.open(again)).toEqual(tag.open(first));
    expect(issuances(world)).toHaveLength(1);
    expect((await authority.status()).enrolledTags).toBe(1);
  });

  it('answers the same epoch keys with another reply key, and records that request too', async () => {
    const { authority, world } = await newAuthority();
    const tag = new AskingTag('a', 'first reply');
    const restarted = new AskingTag('a', 'second reply');
    const first = tag.open(await authority.enrol(tag.firstRequest(TODAY, 1), NUMBER));
    const again = restarted.open(await authority.enrol(restarted.firstRequest(TODAY, 1), NUMBER));
    expect(again.days).toEqual(first.days);
    expect(again.requestHash).not.toEqual(first.requestHash);
    expect(issuances(world)).toHaveLength(2);
  });

  it('gives different tags different numbers, also when the desk hands out the next one by hand', async () => {
    const { authority, world } = await newAuthority();
    const tags = Array.from({ length: 5 }, (_, index) => new AskingTag(`tag ${index}`));
    const packs = await Promise.all(
      tags.map(async (tag, index) =>
        tag.open(await authority.enrol(tag.firstRequest(TODAY, 1), index === 2 ? asTagNumber(4) : undefined)),
      ),
    );
    const keys = await world.deps.dayKeys.get(TODAY);
    const numbers = packs.map((pack) => {
      const ephId = pack.days[0]?.epochs[0]?.ephId;
      return keys && ephId && resolveEphemeralId(keys.idKey, ephId)?.tag;
    });
    expect(new Set(numbers).size).toBe(5);
    expect(numbers).not.toContain(undefined);
    expect(numbers[2]).toBe(4);
  });

  it.each([
    ['days that are past', TODAY - 2, 1],
    ['days beyond the horizon', TODAY + 8, 7],
  ])('refuses %s', async (_what, firstDay, days) => {
    const { authority, world } = await newAuthority();
    const asked = authority.enrol(new AskingTag('a').firstRequest(firstDay, days));
    await expect(asked).rejects.toEqual(refusal('day'));
    expect(await world.deps.dayKeys.list()).toEqual([TODAY - 1, TODAY, TODAY + 1]);
  });

  it('refuses days after the sunset', async () => {
    const { authority } = await newAuthority({ sunsetDay: TODAY + 3 });
    const tag = new AskingTag('a');
    await expect(authority.enrol(tag.firstRequest(TODAY, 4))).rejects.toEqual(refusal('day'));
    expect(tag.open(await authority.enrol(tag.firstRequest(TODAY, 3))).days).toHaveLength(3);
  });

  it('refuses a request with any bit changed', async () => {
    const { authority } = await newAuthority();
    const request = new AskingTag('a').firstRequest(TODAY, 1);
    for (let at = 0; at < request.length; at += 61) {
      const mangled = Uint8Array.from(request, (byte, index) =>
        index === at ? byte ^ (1 << (at % 8)) : byte,
      );
      const code = await authority.enrol(mangled).then(
        () => 'accepted',
        (error: unknown) => (error instanceof FirebreakError ? error.code : 'crashed'),
      );
      expect(['format', 'signature', 'day']).toContain(code);
    }
  });
});

describe('a tag whose days have all passed', () => {
  async function lapsed(later: number) {
    const { authority, world } = await newAuthority();
    await authority.enrol(new AskingTag('a').firstRequest(TODAY, 7), NUMBER);
    await world.leapTo(TODAY + later);
    await authority.maintain();
    return { authority, world, today: TODAY + later };
  }

  it.each([7, 8, 30, 60])('is enrolled again under its number, by new keys, after %i days', async (later) => {
    const { authority, world, today } = await lapsed(later);
    const tag = new AskingTag('a', 'new reply');
    const pack = tag.open(await authority.enrol(tag.firstRequest(today, 7), NUMBER));
    const keys = await world.deps.dayKeys.get(today);
    const ephId = pack.days[0]?.epochs[0]?.ephId;
    expect(keys && ephId && resolveEphemeralId(keys.idKey, ephId)?.tag).toBe(NUMBER);
    expect(issuances(world)).toHaveLength(2);
    expect((await authority.status()).enrolledTags).toBe(1);
    const next = tag.renewal(pack, today, today + 7, 1);
    expect(tag.open(await authority.renew(next)).firstDay).toBe(today + 7);
  });

  it('is the only one with its number: the next that asks is refused, at once or later', async () => {
    const { authority, today } = await lapsed(7);
    const asked = ['b', 'c'].map((name) =>
      authority.enrol(new AskingTag(name).firstRequest(today, 1), NUMBER),
    );
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const late = authority.enrol(new AskingTag('d').firstRequest(today, 1), NUMBER);
    await expect(late).rejects.toEqual(refusal('exists'));
  });

  it('is not enrolled on its last day, nor for a past day with other keys', async () => {
    const onLast = await lapsed(6);
    const early = onLast.authority.enrol(new AskingTag('b').firstRequest(TODAY + 6, 1), NUMBER);
    await expect(early).rejects.toEqual(refusal('exists'));
    const { authority, today } = await lapsed(7);
    const overlapping = authority.enrol(new AskingTag('b').firstRequest(today - 1, 2), NUMBER);
    await expect(overlapping).rejects.toEqual(refusal('exists'));
  });

  it('is given the same again when the answer was lost, and its keys under no other number', async () => {
    const { authority, world, today } = await lapsed(7);
    const tag = new AskingTag('b');
    const first = tag.open(await authority.enrol(tag.firstRequest(today, 7), NUMBER));
    expect(tag.open(await authority.enrol(tag.firstRequest(today, 7))).days).toEqual(first.days);
    world.clock.set(today + 1);
    const again = tag.open(await authority.enrol(tag.firstRequest(today + 1, 6), NUMBER));
    expect(again.days.map(({ epochs }) => epochs)).toEqual(first.days.slice(1).map(({ epochs }) => epochs));
    world.clock.set(today);
    const other = authority.enrol(tag.firstRequest(today, 7), asTagNumber(7));
    await expect(other).rejects.toEqual(refusal('exists'));
  });
});

describe('a renewal', () => {
  async function enrolled() {
    const { authority, world } = await newAuthority();
    const tag = new AskingTag('a');
    const pack = tag.open(await authority.enrol(tag.firstRequest(TODAY, 7), NUMBER));
    return { authority, world, tag, pack };
  }

  it('gives the tag that signed it the days it asks for', async () => {
    const { authority, world, tag, pack } = await enrolled();
    world.clock.set(TODAY + 5);
    const next = tag.open(await authority.renew(tag.renewal(pack, TODAY + 5, TODAY + 7, 7)));
    expect(next.firstDay).toBe(TODAY + 7);
    const keys = await world.deps.dayKeys.get(TODAY + 13);
    const ephId = next.days[6]?.epochs[0]?.ephId;
    expect(keys && ephId && resolveEphemeralId(keys.idKey, ephId)?.tag).toBe(NUMBER);
    expect(issuances(world)).toHaveLength(2);
  });

  it('is answered twice when it comes twice, and recorded once', async () => {
    const { authority, world, tag, pack } = await enrolled();
    const request = tag.renewal(pack, TODAY, TODAY + 7, 2);
    expect(tag.open(await authority.renew(request))).toEqual(tag.open(await authority.renew(request)));
    expect(issuances(world)).toHaveLength(2);
  });

  it('refuses one signed with a credential of another time', async () => {
    const { authority, world, tag, pack } = await enrolled();
    world.clock.set(TODAY + 1);
    await expect(authority.renew(tag.renewal(pack, TODAY, TODAY + 7, 1))).rejects.toEqual(refusal('epoch'));
  });

  it('refuses other epoch keys for a day that the tag has credentials of', async () => {
    const { authority, tag, pack } = await enrolled();
    const foreign = new AskingTag('b');
    tag.request = (firstDay, days) => foreign.request(firstDay, days);
    await expect(authority.renew(tag.renewal(pack, TODAY, TODAY + 6, 2))).rejects.toEqual(refusal('exists'));
  });

  it('refuses a report of encounters', async () => {
    const { authority, tag, pack } = await enrolled();
    const plaintext = encodeReportPlaintext({ seq: 1, prev: new Uint8Array(32), records: [] });
    await expect(authority.renew(tag.report(pack, TODAY, 1, plaintext))).rejects.toEqual(refusal('format'));
  });

  it('refuses a credential that the issuer did not sign', async () => {
    const { authority, pack } = await enrolled();
    const thief = new AskingTag('b');
    await expect(authority.renew(thief.renewal(pack, TODAY, TODAY + 7, 1))).rejects.toEqual(
      refusal('credential-signature'),
    );
  });
});

describe('what is logged of all this', () => {
  it('shows no key, no tag number and no request', async () => {
    const { authority, world } = await newAuthority();
    const tag = new AskingTag('a');
    const sealed = await authority.enrol(tag.firstRequest(TODAY, 1), NUMBER);
    await authority.enrol(new AskingTag('b').firstRequest(TODAY, 1), NUMBER).catch(() => undefined);
    await authority.addGateway(secretOf('gateway'), 'north door');
    await authority.notify({ day: TODAY, code: 3, tags: [NUMBER] });
    await world.leapTo(TODAY + 40);
    const keys = await world.deps.dayKeys.get(TODAY);
    await authority.maintain();
    world.online = false;
    await authority.ensureDayKeys(TODAY + 42, TODAY + 43);
    await authority.published();
    const text = JSON.stringify(world.logged);
    expect(world.logged.length).toBeGreaterThan(3);
    const secrets = [
      keys?.idKey,
      keys?.macKey,
      keys?.sealingSecretKey,
      secretOf('issuer'),
      sealed.subarray(0, 32),
    ];
    for (const secret of secrets) {
      const bytes = Buffer.from(secret ?? []);
      expect(bytes.length).toBe(32);
      expect(text).not.toContain(bytes.toString('hex').slice(0, 16));
      expect(text).not.toContain(bytes.toString('base64').slice(0, 16));
    }
    expect(text).not.toContain(String(NUMBER));
  });
});
