/**
 * A tracer that lives through a random world: it reads on, is closed, killed and opened again while reports come and days end. Beside
 * it, whenever it is asked, one that reads the log in one go, as if no payload had been pruned and no key destroyed.
 */
import { join } from 'node:path';
import { asUnixMs } from '../../protocol/brands.js';
import { toHex } from '../../protocol/bytes.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import type { FoundPayload } from '../../protocol/tlog/ledger-reader.js';
import { silentLog } from '../../protocol/log.js';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import { memoryCheckpointStore } from '../../tracer/follow/checkpoint-store.js';
import type { ContactStore } from '../../tracer/contacts/contact-store.js';
import { openContactStore } from '../../tracer/contacts/open-contact-store.js';
import { inlineTasks } from '../../tracer/contacts/task-thread.js';
import type { Tracer } from '../../tracer/tracer.js';
import { keysOf } from './deployment.js';
import { recordingTracer } from './evidence-stage.js';
import { MemoryLog } from './memory-log.js';
import { mortalDisk } from './mortal-disk.js';
import { FIRST_DAY } from './random-world.js';
import type { Delivery, World } from './random-world.js';

export type Turn = 'reads' | 'settles' | 'is closed' | 'is killed' | 'is killed after a while';

/** What is remembered of a day that was forgotten goes by it too. */
const LEAST_SEALED = 2;

const nobodyRecords = {
  record: async () => ({
    ...{ index: 1, further: [] },
    ...{ payload: new Uint8Array(), sharedSecret: new Uint8Array() },
  }),
};

export class RandomLife {
  readonly log = new MemoryLog();
  readonly #world: World;
  readonly #folder: string;
  readonly #checkpoints = memoryCheckpointStore();
  readonly #keys = keysOf([]);
  #firstKeyDay = FIRST_DAY - 2;
  /** Payloads that were there when the tracer could read them. */
  readonly #ever = new Map<string, FoundPayload>();
  readonly #logged: Delivery[] = [];
  #disk = mortalDisk();
  #contacts: ContactStore | undefined;
  #tracer: Tracer | undefined;

  constructor(world: World, folder: string) {
    this.#world = world;
    this.#folder = folder;
    this.log.nowMs = (FIRST_DAY - 1) * DAY_SECONDS * 1000;
  }

  get tracer(): Tracer {
    if (this.#tracer === undefined) throw new Error('nobody has begun');
    return this.#tracer;
  }

  get contacts(): ContactStore {
    if (this.#contacts === undefined) throw new Error('nobody has begun');
    return this.#contacts;
  }

  /** Unix seconds at which the days begin that are kept. */
  get border(): number {
    return (this.tracer.status().border.day - this.#world.retentionDays) * DAY_SECONDS;
  }

  async begin(): Promise<void> {
    this.#giveKeys();
    const { disk } = this.#disk;
    const store = { log: silentLog, disk, startThread: inlineTasks(disk) };
    const small = { tableRows: 8, leastRows: 2, waitingTables: 1 };
    this.#contacts = await openContactStore(join(this.#folder, 'contacts'), { ...store, ...small });
    this.#tracer = await recordingTracer(this.log, {
      ...{ contacts: this.#contacts, checkpoints: this.#checkpoints, dayKeys: this.#keys },
      ...{ retentionDays: this.#world.retentionDays, saveEvery: 4, leastSealed: LEAST_SEALED },
    });
  }

  /** Time goes on to that of the delivery; before a day ends, the tracer reads what is there. */
  async take(delivery: Delivery): Promise<void> {
    await this.passTo(delivery.at);
    this.log.append(delivery.entry);
    const { payload } = delivery.entry;
    if (delivery.isMissing) this.log.prune(payload);
    else this.#ever.set(toHex(sha256(payload)), payload);
    this.#logged.push(delivery);
  }

  /** Unix seconds. */
  async passTo(at: number): Promise<void> {
    for (let day = dayOf(this.log.nowMs / 1000); day < dayOf(at); day++) {
      await this.reads();
      this.log.passTo((day + 1) * DAY_SECONDS * 1000);
    }
    this.log.passTo(at * 1000);
  }

  async reads(): Promise<void> {
    this.#giveKeys();
    await this.tracer.catchUp();
  }

  async turn(turn: Turn): Promise<void> {
    await this.reads();
    if (turn === 'reads') return;
    if (turn === 'settles') return this.settle();
    if (turn === 'is killed after a while') await this.contacts.settled();
    if (turn === 'is closed') {
      await this.tracer.close();
      this.#endDays();
    }
    await this.#disk.kill();
    this.#disk = mortalDisk();
    await this.begin();
  }

  async settle(): Promise<void> {
    do {
      await this.contacts.settled();
      await this.tracer.catchUp();
    } while (this.contacts.wantsSave);
  }

  async end(): Promise<void> {
    await this.tracer.close();
    await this.#disk.kill();
  }

  /** A tracer that reads all of the log now. */
  inOneGo(): Promise<Tracer> {
    const reader = this.log.reader();
    const days = Array.from({ length: this.#today() + 3 - FIRST_DAY }, (_, k) => FIRST_DAY - 1 + k);
    return recordingTracer(this.log, {
      reader: {
        ...reader,
        payloads: async (hashes) => {
          const found = await reader.payloads(hashes);
          return found.map((one, k) => this.#ever.get(toHex(hashes[k] ?? new Uint8Array())) ?? one);
        },
      },
      ...{ dayKeys: keysOf(days.filter((day) => this.#isGiven(day))), access: nobodyRecords },
      ...{ retentionDays: this.#world.retentionDays, leastSealed: LEAST_SEALED },
    });
  }

  #today(): number {
    return dayOf(this.log.nowMs / 1000);
  }

  /** Of tomorrow too, unless they come late. */
  #isGiven(day: number): boolean {
    const { lateDays, lateBy } = this.#world;
    return day + (lateDays.includes(day) ? 1 + lateBy : 0) <= this.#today() + 1;
  }

  #giveKeys(): void {
    const last = this.#today() + 1;
    const days = Array.from({ length: last + 1 - this.#firstKeyDay }, (_, k) => this.#firstKeyDay + k);
    this.#keys.days = days.filter((day) => this.#isGiven(day));
  }

  /** The keys and payloads of days that have left retention go, when all that was logged is read and saved. */
  #endDays(): void {
    const today = this.#today();
    this.#firstKeyDay = today - this.#world.retentionDays;
    for (const { day, entry } of this.#logged) {
      if (day >= this.#firstKeyDay || entry.type === 3) continue;
      const prunedAtMs = asUnixMs((day + this.#world.retentionDays + 1) * DAY_SECONDS * 1000 + 1);
      const isThere = this.log.payloads.get(toHex(sha256(entry.payload))) !== undefined;
      if (isThere) this.log.pruneBy(entry.payload, { day, prunedAtMs, prunedBy: this.log.entries.length });
    }
  }
}
