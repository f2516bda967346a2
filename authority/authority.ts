/**
 * The authority: issuer key, day keys, enrolment, gateway certificates, notices, and what of it the ledger and the
 * retained topics are told (protocol.md §3, §7, §10). Keys come in as a signer and a store; nothing here reads a file.
 */
import { randomBytes as systemRandomBytes } from 'node:crypto';
import type { UnixMs } from '../protocol/brands.js';
import { toHex } from '../protocol/bytes.js';
import type { Clock } from '../protocol/clock.js';
import type { Signer } from '../protocol/crypto/ed25519.js';
import { partyIdOf } from '../protocol/keys.js';
import type { Log } from '../protocol/log.js';
import { dayOf } from '../protocol/time.js';
import { closable, type Task } from './closable.js';
import { openClockTrust, type ClockTrust, type LogDays } from './days/clock-trust.js';
import type { DayKeyStore } from './days/day-key-store.js';
import { openDayKeyring, type DayKeyring } from './days/day-keys.js';
import { makeDays, openDaysAhead, type DaysAhead } from './days/days-ahead.js';
import { openEnrolment, type Enrolment } from './credentials/enrolment.js';
import { authorityEntries, type AuthorityEntries, type EntrySink } from './entries.js';
import { gatewayRegister, type CertifiedGateway, type GatewayRegister } from './gateways.js';
import { noticeBook, type NoticeBook, type NoticeState } from './notices/notice-book.js';
import { noticeDesk, type NoticeDesk, type NoticeOrder, type Notified } from './notices/notice-desk.js';
import type { OwnWords } from './records/own-words.js';
import { openPublisher, reachOf, type Publisher, type RetainedUplink } from './publisher.js';
import { openReadBack, type ReadBack } from './credentials/read-back.js';
import type { RecordStore } from './records/records.js';
import { retentionBook, type EndedDay } from './days/retention-book.js';
import { openRetention, type Retention } from './days/retention.js';
import type { RevocationState } from './revocation-answers.js';
import { statementBook, type StatementBook } from './statement-book.js';
import { openRegistryTidying, type RegistryTidying } from './credentials/registry-tidying.js';
import { tagRegistry, type TagRegistry } from './credentials/tag-registry.js';
import { atTurnOfDay } from './days/turn-of-day.js';
import type { WorkedDayStore } from './days/worked-day.js';

/** Two packs of seven days. */
export const DEFAULT_HORIZON_DAYS = 14;

export interface AuthorityDeps {
  readonly issuer: Signer;
  readonly dayKeys: DayKeyStore;
  readonly records: RecordStore;
  readonly workedDay: WorkedDayStore;
  /** The log's own times, by which a clock that leapt is believed; absent where no log is read. */
  readonly logDays?: () => LogDays | undefined;
  /** What the log has of the authority's own words, once it was read; absent where no log is read. */
  readonly ownWords?: () => OwnWords | undefined;
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
  /**
   * Certifies a gateway for seven days from `fromDay`, today by default. Throws `permission` for one that was revoked, `closed`
   * while the log is not read.
   */
  addGateway(publicKey: Uint8Array, name: string, fromDay?: number): Promise<Uint8Array>;
  /** Revokes a gateway from `fromMs`, now by default. Throws `not-found`, or `closed` while the log may know it. */
  revokeGateway(gatewayId: Uint8Array, fromMs?: UnixMs): Promise<void>;
  /** How far the revocation of a gateway has come when all is done with it, or the signal aborts. */
  revoked(gatewayId: Uint8Array, signal: AbortSignal): Promise<RevocationReach>;
  /**
   * Gives a notice for these tags; it goes out once it is in the log. Throws `not-found` for a tag that was never enrolled
   * or a day without keys, `day` for one whose keys are lost, `full`, `closed` while the log is not read: nothing was done
   * then.
   */
  notify(order: NoticeOrder): Promise<Notified>;
  /** How far a notice has come when all is done with it, or the signal aborts. */
  notified(number: number, signal: AbortSignal): Promise<NoticeReach>;
  /**
   * What the turn of a day asks for: keys of yesterday, today and tomorrow, the end of days that left the retention
   * window, and in the background an orderly registry (credentials/registry-tidying.ts). Harmless to repeat. Nothing ends by
   * a clock that leapt (days/clock-trust.ts), and a day that cannot have keys is said once and passed over.
   */
  maintain(): Promise<void>;
  /** Whether the log was read back (credentials/read-back.ts); always where no log is read. */
  isReadBack(): boolean;
  /**
   * Maintains for a person, and waits for what the ledger says to the prunings; the days that ended, ever. Rejects with the
   * signal's reason.
   */
  retain(signal: AbortSignal): Promise<readonly EndedDay[]>;
  /** Every gateway it ever certified. */
  gateways(): Promise<readonly CertifiedGateway[]>;
  /** Gives a gateway its name: the log, read back, tells of certificates without theirs. Does nothing for one it never certified. */
  nameGateway(publicKey: Uint8Array, name: string): Promise<void>;
  /** Resolves, when no publishing is under way, whether the retained topics reached the broker. */
  published(): Promise<boolean>;
  status(): Promise<AuthorityStatus>;
  /** Takes nothing more; resolves when what is under way has ended. */
  close(): Promise<void>;
}

/** `out`: in the log, and the broker has it. */
export type NoticeReach = NoticeState | 'out';
export type RevocationReach = RevocationState | 'out';

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
  readonly lastNotice:
    { readonly number: number; readonly givenMs: number; readonly state: NoticeState } | undefined;
  /** In the log, and offered to tags. */
  readonly noticesOnOffer: number;
  /** Without an answer of the ledger: nobody is warned by them yet. */
  readonly noticesWaiting: number;
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
  readonly noticeBook: NoticeBook;
  readonly notices: NoticeDesk;
  readonly enrolment: Enrolment;
  readonly readBack: ReadBack;
  readonly tidying: RegistryTidying;
  /** Drops what the topics need no longer, once a day. */
  readonly tidy: (today: number) => Promise<void>;
}

/** Opens with the keys of yesterday, today and tomorrow at hand; the retained topics follow in the background. */
export async function openAuthority(deps: AuthorityDeps): Promise<Authority> {
  const parts = assemble(deps);
  const authority = authorityOf(parts, deps);
  await authority.maintain().catch(async (error: unknown) => {
    await authority.close();
    throw error;
  });
  parts.publisher.publishSoon();
  return authority;
}

const systemRandom = (length: number): Uint8Array => new Uint8Array(systemRandomBytes(length));

function assemble(deps: AuthorityDeps): Parts {
  const { issuer, records, clock, retentionDays, sunsetDay } = deps;
  const { randomBytes = systemRandom, horizonDays = DEFAULT_HORIZON_DAYS } = deps;
  const book = statementBook(records);
  const tags = tagRegistry(records);
  const entries = authorityEntries({ courier: deps.courier, clock, randomBytes });
  const given = noticeBook(records);
  const publisher = openPublisher({ book, notices: given, uplink: deps.uplink, log: deps.log });
  const onChange = () => publisher.publishSoon();
  const ended = retentionBook(records);
  const keyring = openDayKeyring({
    ...{ issuer, store: deps.dayKeys, book, retention: ended, entries },
    ...{ randomBytes, sunsetDay, log: deps.log, onChange },
  });
  const daysAhead = openDaysAhead(keyring, deps.log);
  const issuing = { issuer, keyring, tags, entries };
  const gateways = gatewayRegister({ issuer, records, book, entries, log: deps.log });
  const noticeParts = { statements: book, book: given, clock, log: deps.log, randomBytes, onChange };
  const notices = noticeDesk({ ...issuing, ...noticeParts });
  return {
    readBack: openReadBack({ ...deps, notices: given, gateways, onChange }),
    clockTrust: openClockTrust({ ...deps, horizonDays }),
    daysAhead,
    book,
    tags,
    entries,
    publisher,
    keyring,
    retention: openRetention({ keyring, store: deps.dayKeys, book: ended, entries, clock, log: deps.log }),
    gateways,
    noticeBook: given,
    notices,
    enrolment: openEnrolment({ ...issuing, daysAhead, clock, retentionDays, horizonDays, sunsetDay }),
    tidying: openRegistryTidying({ tags, clock, log: deps.log }),
    tidy: atTurnOfDay(async (today) => {
      await gateways.forgetRevocations(today);
      await notices.forgetBefore(today - retentionDays);
    }),
  };
}

function authorityOf(parts: Parts, deps: AuthorityDeps): Authority {
  const { keyring, retention, notices, enrolment, publisher } = parts;
  const { clock } = deps;
  const today = () => dayOf(clock.nowMs() / 1000);
  const { task, close } = closable(() => {
    notices.close();
    parts.gateways.close();
    return Promise.all([publisher.close(), retention.close(), parts.tidying.close()]);
  });
  return {
    enrol: (request, tag) => task(() => enrolment.enrol(request, tag)),
    renew: (report) => task(() => enrolment.renew(report)),
    ...readBackTasks(parts, deps, task),
    ensureDayKeys: (fromDay, toDay) =>
      task(() => makeDays(keyring, { fromDay, toDay, oldest: today() - deps.retentionDays })),
    notified: async (number, signal) => reachOf(await notices.answered(number, signal), publisher, signal),
    revoked: async (gatewayId, signal) =>
      reachOf(await parts.gateways.answered(gatewayId, signal), publisher, signal),
    maintain: () => task(() => maintain(parts, deps, { today: today(), isAsked: false })),
    retain: (signal) =>
      task(async () => {
        await maintain(parts, deps, { today: today(), isAsked: true });
        await retention.settled(signal);
        return retention.ended();
      }),
    isReadBack: () => parts.readBack.isDone(),
    gateways: () => parts.gateways.list(),
    nameGateway: (publicKey, name) => task(() => parts.gateways.name(publicKey, name)),
    published: () => publisher.settled(),
    status: () => statusOf(parts, deps),
    close,
  };
}

/** Notices and gateways, of which the log tells what an older copy of the folder forgot. */
function readBackTasks(
  { gateways, notices, publisher, readBack }: Parts,
  { clock, log }: AuthorityDeps,
  task: Task,
): Pick<Authority, 'addGateway' | 'revokeGateway' | 'notify'> {
  return {
    notify: (order) =>
      task(async () => {
        readBack.require();
        return notices.publish(order);
      }),
    addGateway: (publicKey, name, fromDay = dayOf(clock.nowMs() / 1000)) =>
      task(async () => {
        readBack.require();
        const certificate = await gateways.certify(publicKey, name, fromDay);
        log.info('gateway certified', { gateway: name, id: toHex(partyIdOf(publicKey)), fromDay });
        return certificate;
      }),
    revokeGateway: (gatewayId, fromMs = clock.nowMs()) =>
      task(async () => {
        await readBack.orUnread(gateways.revoke(gatewayId, fromMs));
        publisher.publishSoon();
        log.warn('gateway revoked', { gateway: toHex(gatewayId), fromMs });
      }),
  };
}

/** Before all days. */
const NO_DAY = 0;

async function maintain(
  parts: Parts,
  { retentionDays, sunsetDay }: AuthorityDeps,
  { today, isAsked }: { readonly today: number; readonly isAsked: boolean },
): Promise<void> {
  const isBelieved = await parts.clockTrust.believes(today); // before keys are made, which may tell it the newest day
  await parts.daysAhead.ensure(today - 1, Math.min(today + 2, sunsetDay ?? Infinity));
  const oldest = isBelieved ? today - retentionDays : NO_DAY; // days that ended before stay ended
  await parts.retention.endBefore(oldest, isAsked);
  if (isBelieved) parts.tidying.begin(oldest);
  if (isBelieved) await parts.tidy(today);
  await parts.readBack.look(oldest);
  await parts.notices.resume();
  await parts.gateways.resume();
}

async function statusOf(parts: Parts, deps: AuthorityDeps): Promise<AuthorityStatus> {
  const notices = await parts.noticeBook.list();
  const inState = (wanted: NoticeState): number => notices.filter(({ state }) => state === wanted).length;
  const [last] = notices;
  return {
    issuerPublicKey: toHex(deps.issuer.publicKey),
    days: await parts.keyring.days(),
    ended: await parts.retention.ended(),
    sunsetDay: deps.sunsetDay,
    gateways: await parts.gateways.list(),
    enrolledTags: await parts.tags.count(),
    lastNotice: last && { number: last.number, givenMs: last.givenMs, state: last.state },
    noticesOnOffer: inState('logged'),
    noticesWaiting: inState('waits'),
  };
}
