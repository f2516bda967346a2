/** The ledger's durable append, from payloads to a synced commit with a signed checkpoint: what the append bench times. */
import { mkdir } from 'node:fs/promises';
import { liveClock } from '../host/clock-live.js';
import { WriterDirectory } from '../ledger/admission/writer.js';
import { AppendClock } from '../ledger/sequence/append-clock.js';
import type { CheckedBatch } from '../ledger/sequence/checked-batch.js';
import { DayRegister } from '../ledger/store/day-record.js';
import { Sequencer } from '../ledger/sequence/sequencer.js';
import { readEdge } from '../ledger/start.js';
import { openStoreLevel } from '../ledger/store/store-open.js';
import type { Store } from '../ledger/store/store.js';
import { asTreeSize, asUnixMs } from '../protocol/brands.js';
import { signCheckpoint } from '../protocol/tlog/checkpoint.js';
import { fastSigner } from '../protocol/crypto/ed25519.js';
import { decodeEntry, ENTRY_TYPE } from '../protocol/tlog/entry.js';
import { sha256 } from '../protocol/crypto/hash.js';
import { silentLog } from '../protocol/log.js';
import { emptyRoot } from '../protocol/tlog/merkle.js';
import { noteSigner } from '../protocol/tlog/note.js';
import { entriesOf, TILE_WIDTH } from '../protocol/tlog/tile.js';
import type { Appender } from './append-run.js';

const ORIGIN = 'bench.example/log';
/** Signs the bench's log; its name is the origin. */
export const logSigner = noteSigner(ORIGIN, fastSigner(new Uint8Array(32).fill(1)));
const RETENTION_DAY = 20_000;
const WRITER_ID = new Uint8Array(16).fill(7);

function checkedBatch(seq: number, payloads: readonly Uint8Array[]): CheckedBatch {
  const items = payloads.map((payload) => ({
    type: ENTRY_TYPE.tagReport,
    timeMs: asUnixMs(RETENTION_DAY * 86_400_000),
    payload,
    payloadSha256: sha256(payload),
    refusal: undefined,
    retentionDay: RETENTION_DAY,
    statement: undefined,
  }));
  return { writerId: WRITER_ID, seq, batchHash: items[0]?.payloadSha256 ?? WRITER_ID, items };
}

async function readPayload(store: Store, index: number): Promise<Uint8Array> {
  const bundle = Math.floor(index / TILE_WIDTH);
  const width = (index % TILE_WIDTH) + 1;
  const entry = entriesOf(await store.bundle(bundle, width), width).at(-1) ?? new Uint8Array();
  const [found] = await store.payloads([decodeEntry(entry).payloadSha256]);
  if (!(found instanceof Uint8Array)) throw new Error(`the payload of entry ${index} is not there`);
  return found;
}

/** Opens the log in `dir`, a new one in an empty folder. Admission is left out, as the peer has none; hashing the payloads is not. */
export async function openOurs(dir: string): Promise<Appender> {
  await mkdir(dir, { recursive: true });
  const empty = { origin: ORIGIN, size: asTreeSize(0), root: emptyRoot() };
  const store = await openStoreLevel({
    dir,
    identity: { origin: ORIGIN, logPublicKey: logSigner.publicKey },
    firstCheckpoint: () => signCheckpoint(empty, logSigner),
  });
  const sequencer = new Sequencer({
    store,
    edge: await readEdge(store, logSigner),
    directory: new WriterDirectory([], []),
    days: new DayRegister(await store.days()),
    retentionDays: 21,
    logSigner,
    clock: new AppendClock({ clock: liveClock(), log: silentLog }, store.state()),
  });
  let seq = store.state().counters.batches;
  return {
    append: async (payloads) => void (await sequencer.submit(checkedBatch(seq++, payloads))),
    length: () => store.state().size,
    read: (index) => readPayload(store, index),
    close: async () => {
      await sequencer.idle();
      await store.close();
    },
  };
}
