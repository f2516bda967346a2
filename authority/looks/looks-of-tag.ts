/** Picks out of all parts of all looks those that one tag was in, and nothing of anybody else. Pure. */
import type { ShownQuestion } from '../../protocol/payload/access-question.js';
import type {
  AuditEntry,
  AuditLook,
  UnreadAccess,
  UnreadReason,
  Wholeness,
} from '../../protocol/tag/audit-answer.js';
import { MAX_UNREAD_LISTED } from '../../protocol/tag/audit-answer.js';
import type { TagNumber } from '../../protocol/brands.js';
import { toHex } from '../../protocol/bytes.js';
import type { AccessPart } from '../../protocol/payload/access.js';
import { holdsTag } from '../../protocol/payload/tag-runs.js';
import type { AccessRow } from './access-rows.js';

/** A look of which parts were seen. */
interface SeenLook {
  /** Whoever wrote it, in hexadecimal digits. */
  readonly writer: string;
  readonly parts: number;
  readonly seen: Set<number>;
  first: AccessRow | undefined;
  asked: ShownQuestion | undefined;
  isCase: boolean;
  /** The entry that names the tag. */
  reachedIn: AccessRow | undefined;
}

export class LooksOfTag {
  readonly #tag: TagNumber;
  readonly #looks = new Map<string, SeenLook>();
  readonly #unread: UnreadAccess[] = [];
  #unreadCount = 0;
  /** By who wrote them. */
  readonly #unreadOf = new Map<string, number>();

  constructor(tag: TagNumber) {
    this.#tag = tag;
  }

  /** Rows come in the order of the log. A part that is there twice counts once. */
  take(row: AccessRow, part: AccessPart): void {
    const isCase = part.asked?.cases.includes(this.#tag) ?? false;
    const isReached = holdsTag(part.tags, this.#tag);
    if (part.parts === 1 && !isCase && !isReached) return;
    const writer = toHex(row.source);
    const key = `${toHex(part.look)} ${writer}`;
    const look = this.#looks.get(key) ?? newLook(writer, part.parts);
    if (look.parts !== part.parts || look.seen.has(part.part)) return;
    this.#looks.set(key, look);
    look.seen.add(part.part);
    if (part.asked) [look.first, look.asked] = [row, part.asked];
    look.isCase ||= isCase;
    if (isReached) look.reachedIn = row;
  }

  /** An entry that may be about anybody. */
  takeUnread({ index, appendedAtMs, source }: AccessRow, why: UnreadReason): void {
    const writer = toHex(source);
    this.#unreadOf.set(writer, (this.#unreadOf.get(writer) ?? 0) + 1);
    this.#unreadCount += 1;
    this.#unread.push({ index, appendedAtMs, why });
    if (this.#unread.length > MAX_UNREAD_LISTED) this.#unread.shift();
  }

  /** In the order of the log. */
  found(): {
    readonly looks: readonly AuditLook[];
    readonly unread: readonly UnreadAccess[];
    readonly unreadCount: number;
  } {
    const looks = [...this.#looks.values()].flatMap((look) => {
      const mayBeOfIt = this.#unreadOf.get(look.writer) ?? 0;
      return shownOf(look, wholenessOf(look, mayBeOfIt)) ?? [];
    });
    looks.sort((x, y) => (x.entries[0]?.index ?? 0) - (y.entries[0]?.index ?? 0));
    return { looks, unread: this.#unread, unreadCount: this.#unreadCount };
  }
}

const newLook = (writer: string, parts: number): SeenLook => ({
  writer,
  parts,
  seen: new Set(),
  first: undefined,
  asked: undefined,
  isCase: false,
  reachedIn: undefined,
});

/** A part that cannot be read is in the log all the same: the look lacks one for certain only when fewer of those are there. */
function wholenessOf({ parts, seen }: SeenLook, unread: number): Wholeness {
  if (seen.size === parts) return 'yes';
  return seen.size + unread < parts ? 'no' : 'unknown';
}

/** Undefined for a look that this tag was not in. */
function shownOf({ first, asked, isCase, reachedIn }: SeenLook, whole: Wholeness): AuditLook | undefined {
  if (!isCase && reachedIn === undefined) return undefined;
  const rows = [first, isCase ? undefined : reachedIn].filter((row) => row !== undefined);
  const [row] = rows;
  if (row === undefined) return undefined;
  const { writtenAtMs, appendedAtMs } = row;
  const entries = rows.filter((one, place) => rows.indexOf(one) === place).map(entryOf);
  return {
    role: isCase ? 'case' : 'reached',
    ...{ whole, writtenAtMs, appendedAtMs, entries },
    ...(asked && { asked: withoutNames(asked) }),
  };
}

const entryOf = ({ index, leaf }: AccessRow): AuditEntry => ({ index, leaf });

/** Field by field: what is added to a recorded question is not shown to anybody by oversight. */
function withoutNames(asked: ShownQuestion): ShownQuestion {
  const { officer, purpose, question, hops, from, to, attenuation, presence } = asked;
  const { minSeconds, latentSeconds, infectiousSeconds } = asked;
  const seconds = { minSeconds, latentSeconds, infectiousSeconds };
  return { officer, purpose, question, hops, from, to, ...seconds, attenuation, presence };
}
