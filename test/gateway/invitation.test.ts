/** A gateway asks tags in only while it can serve them. */
import { expect, it, onTestFinished } from 'vitest';
import { Invitation } from '../../gateway/invitation.js';
import { virtualClock } from '../../host/clock-virtual.js';
import { asUnixMs } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import { partyIdOf } from '../../protocol/keys.js';
import { silentLog } from '../../protocol/log.js';
import { REVOCATIONS_TOPIC } from '../../protocol/mqtt/topics.js';
import { signRevocation } from '../../protocol/session/revocation.js';
import { issuer, NOW_MS } from '../ledger/deployment.js';
import { HUB_ADDRESS, hubCertificate, hubSigner, openHub, visit } from './hub.js';

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('is not on the air without a right to serve, and is once more when it has it', async () => {
  let certificate = Uint8Array.from(hubCertificate);
  const hub = await openHub({ certificate: () => certificate });
  onTestFinished(() => hub.close());
  const { clock, central, downlink, gateway } = hub;
  const nobodyThere = () =>
    expect(clock.drive(central.connect(HUB_ADDRESS))).rejects.toMatchObject({ code: 'unreachable' });
  expect((await clock.drive(visit(central))).receipt.refusal).toBeUndefined();
  certificate = new Uint8Array(0);
  await clock.advance(61_000);
  await nobodyThere();
  certificate = Uint8Array.from(hubCertificate);
  await clock.advance(1_000);
  expect((await clock.drive(visit(central))).receipt.refusal).toBeUndefined();
  const gatewayId = partyIdOf(hubSigner.publicKey);
  downlink.publish(REVOCATIONS_TOPIC, signRevocation(issuer, { gatewayId, fromMs: asUnixMs(NOW_MS) }));
  await settled();
  await nobodyThere();
  expect(gateway.status()).toMatchObject({
    isRevoked: true,
    trouble: expect.stringContaining('revoked') as string,
  });
});

/** An invitation over an advertiser that does as it is told. */
function invited(advertise: () => Promise<void>) {
  const [clock, stop] = [virtualClock(NOW_MS), new AbortController()];
  const state = { canServe: false, changes: [] as string[], lines: [] as string[] };
  const note = (what: string) => async (): Promise<void> => {
    await advertise();
    state.changes.push(what);
  };
  const invitation = new Invitation({
    advertiser: { set: note('set'), stop: note('stop') },
    settings: {
      ...{ address: HUB_ADDRESS, advert: new Uint8Array(7), txPowerDbm: 0, connectable: true },
      ...{ intervalMs: 1000, phaseMs: 0, jitter: 0.1 },
    },
    canServe: () => state.canServe,
    clock,
    log: { ...silentLog, warn: (_, fields) => void state.lines.push(String(fields?.['why'])) },
  });
  let kept: Promise<void> | undefined;
  const begin = async (): Promise<void> => {
    await invitation.start();
    kept = invitation.keep(stop.signal);
  };
  return { invitation, clock, state, begin, end: () => (stop.abort(), kept) };
}

it('asks tags in as soon as the radio can again, and says by doubling that it could not', async () => {
  const radio = { fails: true };
  const { clock, state, begin, end } = invited(async () => {
    if (radio.fails) throw new FirebreakError('timeout', 'no answer from the adapter');
  });
  await begin();
  state.canServe = true;
  await clock.advance(100_000);
  expect(state.lines).toEqual(Array.from({ length: 7 }, () => 'no answer from the adapter'));
  radio.fails = false;
  await clock.advance(1_000);
  expect(state.changes).toEqual(['set']);
  await clock.advance(300_000);
  expect(state.changes).toEqual(['set']);
  await end();
});

it('is taken back where the radio could not put it on the air, and may do so later', async () => {
  const radio = { fails: true };
  const { clock, state, begin, end } = invited(async () => {
    if (radio.fails) throw new FirebreakError('timeout', 'no answer from the adapter');
  });
  await begin();
  state.canServe = true;
  await clock.advance(2_000);
  [radio.fails, state.canServe] = [false, false];
  await clock.advance(2_000);
  expect(state.changes).toEqual(['stop']);
  await end();
});

it('waits until the gateway serves, though day keys come before', async () => {
  const { invitation, state, begin, end } = invited(async () => undefined);
  state.canServe = true;
  await invitation.look();
  expect(state.changes).toEqual([]);
  await begin();
  expect(state.changes).toEqual(['set']);
  await end();
});

it('is not put on the air again by what was under way when it was withdrawn', async () => {
  let isDone = (): void => undefined;
  const { invitation, state, begin, end } = invited(() => new Promise((resolve) => (isDone = resolve)));
  await begin();
  state.canServe = true;
  const looked = invitation.look();
  await settled();
  const withdrawn = invitation.withdraw();
  isDone();
  await looked;
  await settled();
  isDone();
  await withdrawn;
  await invitation.look();
  expect(state.changes).toEqual(['set', 'stop']);
  await end();
});

it('ends when it is told to, also with a radio that hangs', async () => {
  const { clock, state, begin, end } = invited(() => new Promise(() => undefined));
  await begin();
  state.canServe = true;
  await clock.advance(2_000);
  await expect(end()).resolves.toBeUndefined();
});
