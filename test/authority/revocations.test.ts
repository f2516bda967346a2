/** How far the revocation of a gateway has come, by what the ledger says to it. */
import { expect, it } from 'vitest';
import { openAuthority } from '../../authority/authority.js';
import type { Delivery } from '../../courier/deliveries.js';
import { asUnixMs } from '../../protocol/brands.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { partyIdOf } from '../../protocol/keys.js';
import { REVOCATIONS_TOPIC } from '../../protocol/mqtt/topics.js';
import { decodeGatewayPayload } from '../../protocol/payload/gateway.js';
import { openRevocation } from '../../protocol/session/revocation.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { courierThat, issuer, newAuthority, secretOf } from './fixture.js';
import type { Posted } from './fixture.js';

const GATEWAY = fastSigner(secretOf('a gateway')).publicKey;
const ID = partyIdOf(GATEWAY);
const now = (): AbortSignal => AbortSignal.abort();
const enough = (): AbortSignal => AbortSignal.timeout(10_000);

/** A ledger that answers when it is told to. */
async function revoked() {
  const posted: Posted[] = [];
  const answers: ((delivery: Delivery) => void)[] = [];
  const courier = courierThat(
    async (entries) => void posted.push(...entries.filter(({ type }) => type === ENTRY_TYPE.gateway)),
    () => new Promise((resolve) => void answers.push(resolve)),
  );
  const { authority, world } = await newAuthority({ courier });
  await authority.addGateway(GATEWAY, 'north door');
  await authority.revokeGateway(ID, asUnixMs(5));
  const answer = (delivery: Delivery): void => {
    for (const tell of answers) tell(delivery);
  };
  const stateOf = async (of = authority) => (await of.status()).gateways[0]?.revocation;
  const revocations = () =>
    posted.flatMap(({ payload }) => {
      const told = decodeGatewayPayload(payload);
      return told.kind === 'revoked' ? [told.revocation] : [];
    });
  return { authority, world, answer, stateOf, revocations };
}

it('a revocation waits until the ledger answers, and is out when the broker has it too', async () => {
  const { authority, answer, stateOf } = await revoked();
  expect(await authority.revoked(ID, now())).toBe('waits');
  expect(await stateOf()).toBe('waits');
  answer({ index: 7 });
  expect(await authority.revoked(ID, enough())).toBe('out');
  expect(await stateOf()).toBe('logged');
});

it('a revocation is offered to gateways before the ledger answers, and also when it refuses', async () => {
  const { authority, world, answer } = await revoked();
  const offered = (): Uint8Array => world.retained.get(REVOCATIONS_TOPIC) ?? new Uint8Array();
  await authority.published();
  expect(await authority.revoked(ID, now())).toBe('waits');
  expect(openRevocation(offered(), issuer.publicKey)).toMatchObject({ gatewayId: ID, fromMs: 5 });
  answer({ index: undefined, refusal: 'type' });
  expect(await authority.revoked(ID, enough())).toBe('refused');
  await authority.published();
  expect(openRevocation(offered(), issuer.publicKey)).toMatchObject({ gatewayId: ID, fromMs: 5 });
});

it('a revocation that the ledger refuses is told as that', async () => {
  const { authority, world, answer } = await revoked();
  answer({ index: undefined, refusal: 'type' });
  expect(await authority.revoked(ID, enough())).toBe('refused');
  expect(world.logged.filter(({ level }) => level === 'error')).toHaveLength(1);
});

it('a revocation without an answer is posted again, as it was, at the next start and at no other time', async () => {
  const { authority, world, answer, stateOf, revocations } = await revoked();
  await authority.close();
  expect(await authority.revoked(ID, enough())).toBe('waits');
  const again = await openAuthority(world.deps);
  await again.maintain();
  const [first, second, ...more] = revocations();
  expect(second).toEqual(first);
  expect(more).toEqual([]);
  answer({ index: 7 });
  expect(await again.revoked(ID, enough())).toBe('out');
  expect(await stateOf(again)).toBe('logged');
  await again.close();
  await (await openAuthority(world.deps)).close();
  expect(revocations()).toHaveLength(2);
});
