/** What fsck found: each finding names a place and says what is wrong there. Bounded, the first ones are kept. */

/**
 * `damage`: something that was stored is not as it was stored. `interrupted`: the end of a last write that
 * was cut short before it was answered for, which the ledger drops at its next start, or a first checkpoint to be
 * published, which it publishes then. `leftover`: a file that is no longer needed. `unchecked`: what only somebody
 * else's key can check.
 */
export type FindingKind = 'damage' | 'interrupted' | 'leftover' | 'unchecked';

/** Parts of the check; each keeps its own first findings, so that none crowds out another. */
export type Area =
  | 'files'
  | 'rows'
  | 'state'
  | 'entries'
  | 'tiles'
  | 'roots'
  | 'payload index'
  | 'payloads'
  | 'batches'
  | 'gateways'
  | 'days';

export interface Place {
  /** Below the ledger's folder, with forward slashes. */
  readonly file?: string;
  /** First byte of `file` that is concerned. */
  readonly offset?: number;
  /** The first entry concerned, counted from 0. */
  readonly index?: number;
}

export interface Finding extends Place {
  readonly kind: FindingKind;
  readonly area: Area;
  /** What is wrong, in words that stand after the place. */
  readonly what: string;
  readonly costs: Costs;
}

/** `nothing`: all of the log is there without what is damaged, and the finding says how that is put right. */
export type Costs = 'log' | 'nothing';

const KEPT_OF_AN_AREA = 20;

export class Findings {
  readonly #kept: Finding[] = [];
  readonly #counts = new Map<string, number>();
  #damage = 0;
  #costsLog = false;
  #firstBadIndex: number | undefined;

  damage(area: Area, what: string, place: Place = {}, costs: Costs = 'log'): void {
    this.#damage += 1;
    if (costs === 'log') this.#costsLog = true;
    const { index } = place;
    if (index !== undefined) this.#firstBadIndex = Math.min(index, this.#firstBadIndex ?? index);
    this.#keep({ kind: 'damage', area, what, costs, ...place });
  }

  /** Something to say that is no damage. */
  note(kind: Exclude<FindingKind, 'damage'>, what: string, place: Place): void {
    this.#keep({ kind, area: 'files', what, costs: 'nothing', ...place });
  }

  /** The first ones of each area, in the order they were found. */
  get kept(): readonly Finding[] {
    return this.#kept;
  }

  get damageCount(): number {
    return this.#damage;
  }

  /** Whether any damage may cost something of the log. */
  get costsLog(): boolean {
    return this.#costsLog;
  }

  /** The lowest entry that any damage concerns. */
  get firstBadIndex(): number | undefined {
    return this.#firstBadIndex;
  }

  /** How many were found beyond those kept, by area. */
  dropped(): ReadonlyMap<Area, number> {
    const dropped = new Map<Area, number>();
    for (const [name, count] of this.#counts) {
      const area = name.slice(name.indexOf('/') + 1) as Area;
      const over = Math.max(0, count - KEPT_OF_AN_AREA);
      if (over > 0) dropped.set(area, (dropped.get(area) ?? 0) + over);
    }
    return dropped;
  }

  #keep(finding: Finding): void {
    const name = `${finding.kind}/${finding.area}`;
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    if (count <= KEPT_OF_AN_AREA) this.#kept.push(finding);
  }
}
