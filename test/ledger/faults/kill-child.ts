/**
 * A process to be killed: `kill-child DIR FIXTURE LIFE CLOSE_AFTER` opens the ledger in DIR, lets several writers append,
 * and closes it after that many receipts. It tells each thing it does before it does it, a line each on stdout.
 */
import { writeSync } from 'node:fs';
import { basename } from 'node:path';
import { NODE_DISK, type Disk, type Piece } from '../../../ledger/store/disk.js';
import { openLedger, type Ledger } from '../../../ledger/ledger.js';
import { loadDeps, loadFrom, type Writer } from './load.js';

/** Sequence numbers of one life of the process. */
const SEQS_A_LIFE = 1_000_000;
const STDOUT = 1;
const BUCKET_PREFIX = 'h'.charCodeAt(0);

const [, , dir = '', fixtureFile = '', life = '0', closeAfter = '0'] = process.argv;

/** At once, through the pipe, whatever happens next. */
const tell = (line: string): void => void writeSync(STDOUT, `${line}\n`);

let isOpen = false;

const journals = new Set<number>();
const tellTurn = (fd: number, { position }: Piece): void => {
  if (isOpen && position === 0 && journals.has(fd)) tell('journal turn');
};

/** The real disk, which tells of turns and of what is put back at the start. */
const telling: Disk = {
  ...NODE_DISK,
  open: (path, flags, mode) => {
    const fd = NODE_DISK.open(path, flags, mode);
    if (basename(path).startsWith('journal')) journals.add(fd);
    return fd;
  },
  write: (fd, piece) => {
    tellTurn(fd, piece);
    return NODE_DISK.write(fd, piece);
  },
  writeAsync: (fd, piece) => {
    tellTurn(fd, piece);
    return NODE_DISK.writeAsync(fd, piece);
  },
  database: (location, options) => {
    const db = NODE_DISK.database(location, options);
    const batch = db.batch.bind(db) as (rows: unknown[]) => Promise<void>;
    const told = (rows: { readonly key: Uint8Array }[]): Promise<void> => {
      if (!isOpen) tell('replaying');
      else if (rows.some(({ key }) => key[0] === BUCKET_PREFIX)) tell('index turn');
      return batch(rows);
    };
    return Object.assign(db, { batch: told });
  },
};

let receipts = 0;

async function append(ledger: Ledger, writer: Writer, number: number, seq: number): Promise<void> {
  const receipt = await ledger.submit(writer.batch(seq));
  tell(`receipt ${number} ${seq} ${Buffer.from(receipt).toString('base64')}`);
  receipts += 1;
}

async function lane(ledger: Ledger, writer: Writer, number: number, first: number): Promise<void> {
  for (let seq = first; receipts < Number(closeAfter); seq += writer.atOnce)
    await append(ledger, writer, number, seq);
}

tell('opening');
const deps = loadDeps(dir);
const { certificateBatch, writers } = loadFrom(fixtureFile);
const ledger = await openLedger({ ...deps, storeTuning: { ...deps.storeTuning, disk: telling } });
isOpen = true;
tell('open');
await ledger.submit(certificateBatch);
const firstSeq = Number(life) * SEQS_A_LIFE;
/** Batches of one writer out of order make the ledger read, and so write, at once: in every other life there are none. */
const resting = (writer: Writer): boolean => Number(life) % 2 === 0 && writer.atOnce > 1;
await Promise.all(
  writers.flatMap((writer, number) =>
    resting(writer)
      ? []
      : Array.from({ length: writer.atOnce }, (_, i) => lane(ledger, writer, number, firstSeq + i)),
  ),
);
tell('closing');
await ledger.close();
tell('closed');
