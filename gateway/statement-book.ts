/** The authority's word as a gateway has it: day keys, notices, revocations; each verified before it counts. */
import { splitDayKeyStatements, splitRevocations } from '../protocol/mqtt/authority-topics.js';
import { equalBytes } from '../protocol/bytes.js';
import {
  decodeDayKeyStatement,
  encodeDayKeyStatement,
  verifyDayKeyStatement,
} from '../protocol/session/day-key-statement.js';
import type { DayKeyStatement } from '../protocol/session/day-key-statement.js';
import { asError, FirebreakError } from '../protocol/errors.js';
import type { Log, LogFields } from '../protocol/log.js';
import { openRevocation } from '../protocol/session/revocation.js';
import { DAY_KEYS_TOPIC, NOTICES_TOPIC, REVOCATIONS_TOPIC } from '../protocol/mqtt/topics.js';
import { Keeper } from './keeper.js';
import { decodeKeptWord, encodeKeptWord } from './kept-word.js';
import { NoticeShelf } from './notice-shelf.js';
import type { StatementStore } from './statement-store.js';

/** As many as the topic holds; more than any retention window. */
const MAX_DAYS = 366;
/** Ways of not being the authority's word that are logged, each once. */
const MAX_SAID = 32;

const NOT_THE_AUTHORITYS =
  'what is not a statement of the authority was ignored and changes nothing here; said once';

export interface Downlink {
  subscribe(topic: string, listener: (payload: Uint8Array) => void): Promise<void>;
}

export interface StatementBookDeps {
  readonly issuerPublicKey: Uint8Array;
  readonly gatewayId: Uint8Array;
  /** Of day keys and the revocation. */
  readonly store: StatementStore;
  /** Of the notices. */
  readonly noticeStore: StatementStore;
  /** In notices of that day and later a tag may still know itself (protocol.md §7). */
  readonly oldestNoticeDay: () => number;
  /** Day keys or a revocation came that were not held before. */
  readonly onNews: () => void;
  /** A revocation of this gateway is held, unix ms; an earlier one may follow. */
  readonly onRevoked: (fromMs: number) => void;
  readonly log: Log;
}

interface HeldRevocation {
  readonly fromMs: number;
  readonly bytes: Uint8Array;
}

export class StatementBook {
  readonly #deps: StatementBookDeps;
  readonly #statements = new Map<number, DayKeyStatement>();
  readonly #notices: NoticeShelf;
  /** Final: the earliest counts, and none is ever lifted, by whatever a broker leaves out. */
  #revocation: HeldRevocation | undefined;
  readonly #word: Keeper;
  readonly #noticeKeeper: Keeper;
  readonly #saidIgnored = new Set<string>();

  constructor(deps: StatementBookDeps) {
    const { store, noticeStore, log } = deps;
    this.#deps = deps;
    this.#notices = new NoticeShelf(deps.issuerPublicKey, deps.oldestNoticeDay);
    const content = (): Uint8Array => this.#keptWord();
    this.#word = new Keeper({ store, content, what: 'the authority’s statements', log });
    const notices = { content: () => this.#notices.all(), what: 'the authority’s notices' };
    this.#noticeKeeper = new Keeper({ store: noticeStore, ...notices, log });
  }

  /** Takes what was kept, then listens to the authority's topics. */
  async open(downlink: Downlink): Promise<void> {
    const { store, noticeStore } = this.#deps;
    const [kept, notices] = [await store.load(), await noticeStore.load()];
    if (kept) this.#quietly('what was kept', () => this.#takeKept(kept));
    if (notices) this.#quietly('the notices that were kept', () => this.#takeNotices(notices));
    const listen = (topic: string, take: (payload: Uint8Array) => void): Promise<void> =>
      downlink.subscribe(topic, (payload) => this.#quietly(topic, () => take(payload)));
    await listen(DAY_KEYS_TOPIC, (payload) => {
      if (this.#takeStatements(splitDayKeyStatements(payload))) this.#keepNews();
    });
    await listen(NOTICES_TOPIC, (payload) => {
      if (this.#takeNotices(payload)) this.#noticeKeeper.save();
    });
    await listen(REVOCATIONS_TOPIC, (payload) => {
      if (this.#takeRevocations(splitRevocations(payload))) this.#keepNews();
    });
  }

  #keepNews(): void {
    this.#word.save();
    this.#deps.onNews();
  }

  statementOf(day: number): DayKeyStatement | undefined {
    return this.#statements.get(day);
  }

  /** Days whose statements are held, ascending. */
  days(): number[] {
    return [...this.#statements.keys()].sort((a, b) => a - b);
  }

  /** Those on offer to tags, newest first, each as signed. */
  notices(): readonly Uint8Array[] {
    return this.#notices.onOffer();
  }

  isRevokedAt(nowMs: number): boolean {
    return this.#revocation !== undefined && nowMs >= this.#revocation.fromMs;
  }

  /** Keeps what could not be kept before; to be called now and again. */
  keepAgain(): void {
    this.#word.again();
    this.#noticeKeeper.again();
  }

  /** Resolves when nothing is being kept any more. */
  async settled(): Promise<void> {
    await Promise.all([this.#word.settled(), this.#noticeKeeper.settled()]);
  }

  #keptWord(): Uint8Array {
    const held = this.days().flatMap((day) => this.#statements.get(day) ?? []);
    const statements = held.map(encodeDayKeyStatement);
    return encodeKeptWord({ revocation: this.#revocation?.bytes, statements });
  }

  #takeKept(kept: Uint8Array): void {
    const { revocation, statements } = decodeKeptWord(kept);
    if (revocation) this.#takeRevocations([revocation]);
    this.#takeStatements(statements);
  }

  /** Whether there was something new. The first statement of a day counts. */
  #takeStatements(statements: readonly Uint8Array[]): boolean {
    let isNew = false;
    this.#each(DAY_KEYS_TOPIC, statements, (bytes) => {
      const statement = decodeDayKeyStatement(bytes);
      if (this.#statements.has(statement.day)) return;
      if (!verifyDayKeyStatement(this.#deps.issuerPublicKey, statement))
        throw new FirebreakError('signature', 'a day-key statement is not signed by the issuer');
      this.#statements.set(statement.day, statement);
      isNew = true;
    });
    for (const day of this.days().slice(0, -MAX_DAYS)) this.#statements.delete(day);
    return isNew;
  }

  /** Whether there was one that is new. */
  #takeNotices(list: Uint8Array): boolean {
    return this.#notices.take(list, (notices, takeOne) => this.#each(NOTICES_TOPIC, notices, takeOne));
  }

  /** Whether it is about this gateway, and new. */
  #takeRevocations(revocations: readonly Uint8Array[]): boolean {
    const before = this.#revocation;
    this.#each(REVOCATIONS_TOPIC, revocations, (bytes) => {
      const { gatewayId, fromMs } = openRevocation(bytes, this.#deps.issuerPublicKey);
      const isOwn = equalBytes(gatewayId, this.#deps.gatewayId);
      if (!isOwn || fromMs >= (this.#revocation?.fromMs ?? Infinity)) return;
      this.#revocation = { fromMs, bytes };
      this.#deps.onRevoked(fromMs);
      this.#deps.log.error('the authority has revoked this gateway; it serves no tag from then on', {
        fromMs,
      });
    });
    return this.#revocation !== before;
  }

  /** Each statement stands by itself: one that does not verify must not hide the others (docs/protocol.md §13). */
  #each(topic: string, statements: readonly Uint8Array[], take: (bytes: Uint8Array) => void): void {
    let ignored = 0;
    let why = '';
    for (const bytes of statements) {
      try {
        take(bytes);
      } catch (error) {
        ignored += 1;
        why = asError(error).message;
      }
    }
    if (ignored > 0) this.#sayIgnored(topic, why, { ignored, of: statements.length });
  }

  /** What is malformed or not the authority's is said and ignored. */
  #quietly(topic: string, take: () => void): void {
    try {
      take();
    } catch (error) {
      this.#sayIgnored(topic, asError(error).message);
    }
  }

  /** Once for each topic and reason: anybody can cause it who can publish there, and a retained message comes with each connection. */
  #sayIgnored(topic: string, why: string, fields: LogFields = {}): void {
    const what = `${topic} ${why}`;
    if (this.#saidIgnored.has(what) || this.#saidIgnored.size >= MAX_SAID) return;
    this.#saidIgnored.add(what);
    this.#deps.log.warn(NOT_THE_AUTHORITYS, { topic, why, ...fields });
  }
}
