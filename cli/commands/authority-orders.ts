/** What a running authority does with the orders of other processes of its folder. */
import type { Authority } from '../../authority/authority.js';
import type { Courier } from '../../courier/courier.js';
import { asTagNumber } from '../../protocol/brands.js';
import { fromHex, toHex } from '../../protocol/bytes.js';
import type { Clock } from '../../protocol/clock.js';
import { FirebreakError } from '../../protocol/errors.js';
import { partyIdOf } from '../../protocol/keys.js';
import { dayOf } from '../../protocol/time.js';
import type { Order } from '../orders/order-files.js';
import { healthLine, lastNoticeLine, notifiedLines, revokedLine } from '../present/show-notices.js';
import { dateOf, statusLines } from '../present/show-retention.js';
import { retainNow } from './authority-retention.js';

/** How long an officer waits for the ledger to take what was ordered; shorter than for an answer (orders/orders.ts). */
const LEDGER_WAIT_MS = 5_000;

export interface OrderCarriers {
  readonly authority: Pick<
    Authority,
    'gateways' | 'notified' | 'notify' | 'retain' | 'revokeGateway' | 'revoked' | 'status'
  >;
  readonly courier: Pick<Courier, 'status'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What whoever gave the order is told. Throws what the authority throws, and `permission` for what the ledger refused. */
export async function carryOut(
  given: Order,
  { authority, courier, clock, signal }: OrderCarriers,
): Promise<string> {
  if (given.what === 'retain') return retainNow(authority, signal);
  if (given.what === 'status') return (await statusNow({ authority, courier, clock })).join('\n');
  if (given.what === 'revoke') return revoke(given.gatewayId, authority);
  return giveNotice(given, authority);
}

/** The lines of `firebreak authority status`, of which the first says how it is. */
export async function statusNow({
  authority,
  courier,
  clock,
}: Pick<OrderCarriers, 'authority' | 'courier' | 'clock'>): Promise<readonly string[]> {
  const status = await authority.status();
  const health = healthLine(courier.status(), status, clock.nowMs());
  return [health, ...statusLines(status, dayOf(clock.nowMs() / 1000)), lastNoticeLine(status)];
}

/** Throws `permission` for a notice that the ledger refused. */
async function giveNotice(
  { day, code, tags, dropOldest = false }: Extract<Order, { what: 'notify' }>,
  authority: OrderCarriers['authority'],
): Promise<string> {
  const notified = await authority.notify({ day, code, tags: tags.map(asTagNumber), dropOldest });
  const reach = await authority.notified(notified.number, AbortSignal.timeout(LEDGER_WAIT_MS));
  const said = notifiedLines(new Set(tags).size, notified, reach).join('\n');
  if (reach === 'refused') throw new FirebreakError('permission', said);
  return said;
}

/** Throws `permission` for a revocation that the ledger refused. */
async function revoke(gatewayId: string, authority: OrderCarriers['authority']): Promise<string> {
  const id = fromHex(gatewayId);
  const before = await revokedBefore(gatewayId, authority);
  await authority.revokeGateway(id);
  const reach = await authority.revoked(id, AbortSignal.timeout(LEDGER_WAIT_MS));
  const said = revokedLine(gatewayId, reach, before);
  if (reach === 'refused') throw new FirebreakError('permission', said);
  return said;
}

/** The date; `undefined` of one that is not revoked, or not known. */
async function revokedBefore(
  gatewayId: string,
  authority: Pick<Authority, 'gateways'>,
): Promise<string | undefined> {
  const idOf = (publicKey: string): string => toHex(partyIdOf(fromHex(publicKey)));
  const known = (await authority.gateways()).find(({ publicKey }) => idOf(publicKey) === gatewayId);
  const fromMs = known?.revokedFromMs ?? undefined;
  return fromMs === undefined ? undefined : dateOf(dayOf(fromMs / 1000));
}
