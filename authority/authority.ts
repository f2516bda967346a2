/**
 * The authority: issuer key, day keys, enrolment, gateway certificates, notices, and what of it the ledger and the
 * retained topics are told (protocol.md §3, §7, §10). Keys come in as a signer and a store; nothing here reads a file.
 */
import { randomBytes as systemRandomBytes } from 'node:crypto';
import type { UnixMs } from '../protocol/brands.js';
import { toHex } from '../protocol/bytes.js';
import type { Clock } from '../protocol/clock.js';
import type { Signer } from '../protocol/ed25519.js';
import { FirebreakError } from '../protocol/errors.js';
import { partyIdOf } from '../protocol/keys.js';
import type { Log } from '../protocol/log.js';
import { dayOf } from '../protocol/time.js';
import { openClockTrust, type ClockTrust, type LogDays } from './clock-trust.js';
import type { DayKeyStore } from './day-key-store.js';
import { openDayKeyring, type DayKeyring } from './day-keys.js';
import { openDaysAhead, type DaysAhead } from './days-ahead.js';
import { openEnrolment, type Enrolment } from './enrolment.js';
import { authorityEntries, type AuthorityEntries, type EntrySink } from './entries.js';
import { gatewayRegister, type CertifiedGateway, type GatewayRegister } from './gateways.js';
import { noticeDesk, type NoticeDesk, type NoticeOrder } from './notice-desk.js';
import { openPublisher, type Publisher, type RetainedUplink } from './publisher.js';
import type { RecordStore } from './records.js';
import { retentionBook, type EndedDay } from './retention-book.js';
import { openRetention, type Retention } from './retention.js';
import { statementBook, type StatementBook } from './statement-book.js';
import { tagRegistry, type TagRegistry } from './tag-registry.js';
import { atTurnOfDay } from './turn-of-day.js';
import type { WorkedDayStore } from './worked-day.js';

/** Two packs of seven days. */
export const DEFAULT_HORIZON_DAYS = 14;

export interface AuthorityDeps {
  readonly issuer: Signer;
  readonly dayKeys: DayKeyStore;
  readonly records: RecordStore;
  readonly workedDay: WorkedDayStore;
  /** The log's own times, by which a clock that leapt is believed; absent where no log is read. */
  readonly logDays?: () => LogDays | undefined;
  readonly courier: EntrySink;
  readonly uplink: RetainedUplink;
  readonly clock: Clock;
  readonly retentionDays: number;
  readonly log: Log;
  /** Credentials are issued for days before today + horizonDays; 14 by default. */
  readonly horizonDays?: number;
  /** No day keys are made from this day on: the sunset (protocol.md §1). None by default. */
  readonly sunsetDay?: number;
  /** For tests that repeat; the system's otherwise. */
  readonly randomBytes?: (length: number) => Uint8Array;
}

export interface Authority extends Enrolment {
  /**
   * Makes and states the keys of the days [fromDay, toDay) that have none. Throws `day` before the retention window and from
   * the sunset on.
   */
  ensureDayKeys(fromDay: number, toDay: number): Promise<void>;
  /** Certifies a gateway for seven days from `fromDay`, today by default. Throws `permission` for one that was revoked. */
  addGateway(publicKey: Uint8Array, name: string, fromDay?: number): Promise<Uint8Array>;
  /** Revokes a gateway from `fromMs`, now by default. Throws `not-found`. */
  revokeGateway(gatewayId: Uint8Array, fromMs?: UnixMs): Promise<void>;
  /** Publishes a notice for these tags; resolves the bytes that go out. Throws `not-found` for a day without keys, `full`. */
  notify(order: NoticeOrder): Promise<Uint8Array>;
  /**
   * What the turn of a day asks for: keys of yesterday, today and tomorrow, the end of days that left the retention
   * window, an orderly registry. Harmless to repeat. Nothing ends by a clock that leapt (clock-trust.ts), and a day that
   * cannot have keys is said once and passed over.
   */
  maintain(): Promise<void>;
  /** Maintains, and waits for what the ledger says to the prunings; the days that ended, ever. Rejects with the signal's reason. */
  retain(signal: AbortSignal): Promise<readonly EndedDay[]>;
  /** Resolves, when no publishing is under way, whether the retained topics reached the broker. */
  published(): Promise<boolean>;
  status(): Promise<AuthorityStatus>;
  /** Takes nothing more; resolves when what is under way has ended. */
  close(): Promise<void>;
}

export interface AuthorityStatus {
  readonly issuerPublicKey: string;
  /** Days that have keys. */
  readonly days: readonly number[];
  /** Days whose keys are destroyed. */
  readonly ended: readonly EndedDay[];
  /** No keys are made from this day on. */
  readonly sunsetDay: number | undefined;
  readonly gateways: readonly CertifiedGateway[];
  readonly enrolledTags: number;
  readonly lastNotice: number | undefined;
}

interface Parts {
  readonly clockTrust: ClockTrust;
  readonly daysAhead: DaysAhead;
  readonly book: StatementBook;
  readonly tags: TagRegistry;
  readonly entries: AuthorityEntries;
  readonly publisher: Publisher;
  readonly keyring: DayKeyring;
  readonly retention: Retention;
  readonly gateways: GatewayRegister;
  readonly notices: NoticeDesk;
  readonly enrolment: Enrolment;
  /** Drops what the registry and the topics need no longer; it reads all of the registry, and so does it once a day. */
  readonly tidy: (today: number) => Promise<void>;
}

/** Opens with the keys of yesterday, today and tomorrow at hand; the retained topics follow in the background. */
export async function openAuthority(deps: AuthorityDeps): Promise<Authority> {
  const parts = assemble(deps);
  const authority = authorityOf(parts, deps);
  await authority.maintain();
  parts.publisher.publishSoon();
  return authority;
}

function assemble(deps: AuthorityDeps): Parts {
  const { issuer, records, clock, retentionDays, sunsetDay } = deps;
  const randomBytes = deps.randomBytes ?? ((length: number) => new Uint8Array(systemRandomBytes(length)));
  const book = statementBook(records);
  const tags = tagRegistry(records);
  const entries = authorityEntries({ courier: deps.courier, clock, randomBytes });
  const publisher = openPublisher({ book, uplink: deps.uplink, log: deps.log });
  const onChange = () => publisher.publishSoon();
  const ended = retentionBook(records);
  const keyring = openDayKeyring({
    issuer,
    store: deps.dayKeys,
    book,
    retention: ended,
    entries,
    randomBytes,
    sunsetDay,
    log: deps.log,
    onChange,
  });
  const horizonDays = deps.horizonDays ?? DEFAULT_HORIZON_DAYS;
  const issuing = { issuer, keyring, tags, entries };
  const gateways = gatewayRegister({ issuer, records, book, entries });
  return {
    clockTrust: openClockTrust({ ...deps, horizonDays }),
    daysAhead: openDaysAhead(keyring, deps.log),
    book,
    tags,
    entries,
    publisher,
    keyring,
    retention: openRetention({ keyring, store: deps.dayKeys, book: ended, entries, clock, log: deps.log }),
    gateways,
    notices: noticeDesk({ issuer, keyring, book, entries, randomBytes }),
    enrolment: openEnrolment({ ...issuing, clock, retentionDays, horizonDays, sunsetDay }),
    tidy: atTurnOfDay((today) => tidy(today, tags, gateways, retentionDays)),
  };
}

function authorityOf(parts: Parts, deps: AuthorityDeps): Authority {
  const { keyring, retention, notices, enrolment, publisher } = parts;
  const { log, clock } = deps;
  const today = () => dayOf(clock.nowMs() / 1000);
  const { task, close } = closable(() => Promise.all([publisher.close(), retention.close()]));
  return {
    enrol: (request, tag) => task(() => enrolment.enrol(request, tag)),
    renew: (report) => task(() => enrolment.renew(report)),
    ...gatewayTasks(parts, deps, task),
    ensureDayKeys: (fromDay, toDay) =>
      task(async () => {
        requireInWindow(fromDay, today() - deps.retentionDays);
        await ensureDays(keyring, fromDay, toDay);
      }),
    notify: (order) =>
      task(async () => {
        const notice = await notices.publish(order);
        publisher.publishSoon();
        log.info('notice published', { day: order.day, code: order.code });
        return notice;
      }),
    maintain: () => task(() => maintain(parts, deps, today())),
    retain: (signal) =>
      task(async () => {
        await maintain(parts, deps, today());
        await retention.settled(signal);
        return retention.ended();
      }),
    published: () => publisher.settled(),
    status: () => statusOf(parts, deps),
    close,
  };
}

type Task = <T>(work: () => Promise<T>) => Promise<T>;

function gatewayTasks(
  { gateways, publisher }: Parts,
  { clock, log }: AuthorityDeps,
  task: Task,
): Pick<Authority, 'addGateway' | 'revokeGateway'> {
  return {
    addGateway: (publicKey, name, fromDay = dayOf(clock.nowMs() / 1000)) =>
      task(async () => {
        const certificate = await gateways.certify(publicKey, name, fromDay);
        log.info('gateway certified', { gateway: toHex(partyIdOf(publicKey)), name, fromDay });
        return certificate;
      }),
    revokeGateway: (gatewayId, fromMs = clock.nowMs()) =>
      task(async () => {
        await gateways.revoke(gatewayId, fromMs);
        publisher.publishSoon();
        log.warn('gateway revoked', { gateway: toHex(gatewayId), fromMs });
      }),
  };
}

/** A day that left the window may have had keys, which are destroyed: no day is stated with two. */
function requireInWindow(day: number, oldest: number): void {
  if (day < oldest)
    throw new FirebreakError('day', `day ${day} left the retention window, which begins with day ${oldest}`);
}

async function ensureDays(keyring: DayKeyring, fromDay: number, toDay: number): Promise<void> {
  for (let day = fromDay; day < toDay; day += 1) await keyring.keysOf(day);
}

async function tidy(
  today: number,
  tags: TagRegistry,
  gateways: GatewayRegister,
  retentionDays: number,
): Promise<void> {
  await tags.forgetBefore(today - retentionDays);
  await gateways.forgetRevocations(today);
}

/** Before all days. */
const NO_DAY = 0;

async function maintain(
  parts: Parts,
  { retentionDays, sunsetDay }: AuthorityDeps,
  today: number,
): Promise<void> {
  const isBelieved = await parts.clockTrust.believes(today); // before keys are made, which may tell it the newest day
  await parts.daysAhead.ensure(today - 1, Math.min(today + 2, sunsetDay ?? Infinity));
  const oldest = isBelieved ? today - retentionDays : NO_DAY; // days that ended before stay ended
  await parts.retention.endBefore(oldest);
  if (isBelieved) await parts.tidy(today);
}

async function statusOf(parts: Parts, deps: AuthorityDeps): Promise<AuthorityStatus> {
  return {
    issuerPublicKey: toHex(deps.issuer.publicKey),
    days: await parts.keyring.days(),
    ended: await parts.retention.ended(),
    sunsetDay: deps.sunsetDay,
    gateways: await parts.gateways.list(),
    enrolledTags: await parts.tags.count(),
    lastNotice: (await parts.book.latestNotice())?.number,
  };
}

/** Tasks that are refused after closing; closing waits for those under way. */
function closable(settle: () => Promise<unknown>) {
  const underWay = new Set<Promise<unknown>>();
  let closed = false;

  async function task<T>(work: () => Promise<T>): Promise<T> {
    if (closed) throw new FirebreakError('closed', 'the authority is shutting down');
    const run = work();
    underWay.add(run);
    try {
      return await run;
    } finally {
      underWay.delete(run);
    }
  }

  async function close(): Promise<void> {
    closed = true;
    await Promise.allSettled(underWay);
    await settle();
  }

  return { task, close };
}
