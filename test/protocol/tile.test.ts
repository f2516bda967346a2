import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../protocol/bytes.js';
import { TileEdge, readTileEdge, type TileBytes } from '../../protocol/tlog/tile-edge.js';
import { CompactRange } from '../../protocol/tlog/compact-range.js';
import { FirebreakError } from '../../protocol/errors.js';
import {
  checkConsistency,
  checkInclusion,
  leafHash,
  proveConsistency,
  proveInclusion,
  treeRoot,
} from '../../protocol/tlog/merkle.js';
import {
  bundleOf,
  entriesOf,
  entriesPath,
  entryOf,
  parseTilePath,
  partialTiles,
  tileOfHash,
  tilePath,
  tilesBetween,
  tileWidthAt,
} from '../../protocol/tlog/tile.js';
import { tileHashReader } from '../../protocol/tlog/tile-hash-reader.js';
import { codeOf } from './errors-of.js';
import { numberedEntries, ReferenceTree } from './reference-tree.js';

describe('tile paths', () => {
  test.each([
    [0, 0, 256, 'tile/0/000'],
    [0, 999, 256, 'tile/0/999'],
    [0, 1000, 256, 'tile/0/x001/000'],
    [3, 1_234_067, 256, 'tile/3/x001/x234/067'],
    [1, 1_234_067, 17, 'tile/1/x001/x234/067.p/17'],
    [63, 5, 1, 'tile/63/005.p/1'],
  ])('of level %i, index %i, width %i is %s', (level, index, width, path) => {
    expect(tilePath(level, index, width)).toBe(path);
    expect(parseTilePath(path)).toEqual({ kind: 'hashes', level, index, width });
  });

  test('of entry bundles', () => {
    expect(entriesPath(1_234_067, 256)).toBe('tile/entries/x001/x234/067');
    expect(entriesPath(7, 255)).toBe('tile/entries/007.p/255');
    expect(parseTilePath('tile/entries/007.p/255')).toEqual({ kind: 'entries', index: 7, width: 255 });
  });

  test('come back from parsing for any tile', () => {
    fc.assert(
      fc.property(fc.nat(63), fc.maxSafeNat(), fc.integer({ min: 1, max: 256 }), (level, index, width) => {
        expect(parseTilePath(tilePath(level, index, width))).toEqual({ kind: 'hashes', level, index, width });
        expect(parseTilePath(entriesPath(index, width))).toEqual({ kind: 'entries', index, width });
      }),
    );
  });

  test.each([
    '',
    'tile/0/0',
    'tile/0/00',
    'tile/0/0000',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/x000/001',
    'tile/0/x001',
    'tile/0/001/000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p/',
    'tile/0/000/',
    '/tile/0/000',
    'tile/0/000.p/1 ',
    'tile/0/000\n',
    'tile/0/../000',
    'tile/entries/x999/x999/x999/x999/x999/999',
    'tile/data/000',
    'tile/8/0/000',
  ])('refuse %j', (path) => expect(codeOf(() => parseTilePath(path))).toBe('format'));
});

describe('the tiles of a log', () => {
  test('of 70,000 entries are those the specification names', () => {
    const tiles = [...tilesBetween(0, 70_000)];
    const full = tiles.filter(({ width }) => width === 256);
    expect(full.filter(({ level }) => level === 0)).toHaveLength(273);
    expect(full.filter(({ level }) => level === 1)).toHaveLength(1);
    expect(tiles.filter(({ width }) => width < 256)).toEqual(partialTiles(70_000));
    expect(partialTiles(70_000)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
  });

  test('of 256 entries are a full one and a partial one above it', () => {
    expect([...tilesBetween(0, 256)]).toEqual([
      { level: 0, index: 0, width: 256 },
      { level: 1, index: 0, width: 1 },
    ]);
    expect([...tilesBetween(0, 0)]).toEqual([]);
  });

  test('that are written as it grows are in the end those it has', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { maxLength: 200 }), (steps) => {
        const widest = new Map<string, number>();
        let size = 0;
        for (const step of steps) {
          for (const { level, index, width } of tilesBetween(size, size + step)) {
            const before = widest.get(`${level}/${index}`) ?? 0;
            expect(width).toBeGreaterThan(before);
            widest.set(`${level}/${index}`, width);
          }
          size += step;
        }
        const now = [...tilesBetween(0, size)].map(
          ({ level, index, width }) => [`${level}/${index}`, width] as const,
        );
        expect(new Map(now)).toEqual(widest);
      }),
      { numRuns: 30 },
    );
  });

  test('hold each stored hash at the place the specification gives it', () => {
    expect(tileOfHash({ level: 0, index: 300 }, 70_000)).toMatchObject({
      level: 0,
      index: 1,
      first: 44,
      count: 1,
    });
    expect(tileOfHash({ level: 3, index: 33 }, 70_000)).toMatchObject({
      level: 0,
      index: 1,
      first: 8,
      count: 8,
    });
    expect(tileOfHash({ level: 8, index: 256 }, 70_000)).toMatchObject({
      level: 1,
      index: 1,
      first: 0,
      width: 17,
    });
    expect(tileWidthAt(0, 274, 70_000)).toBe(0);
  });
});

describe('entry bundles', () => {
  test('are entries with a big-endian u16 length before each', () => {
    const bundle = bundleOf([Buffer.from('abc'), new Uint8Array(), Buffer.alloc(300, 7)]);
    expect(Buffer.from(bundle).toString('hex')).toBe(`0003616263${'0000'}012c${'07'.repeat(300)}`);
  });

  test('come apart again, for any entries', () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 70 }), { minLength: 1, maxLength: 256 });
    fc.assert(
      fc.property(entries, (list) => {
        const again = entriesOf(bundleOf(list), list.length);
        expect(again.map((entry) => [...entry])).toEqual(list.map((entry) => [...entry]));
        const alone = list.map((_, place) => entryOf(bundleOf(list), list.length, place));
        expect(alone).toEqual(again);
        expect(codeOf(() => entryOf(bundleOf(list), list.length + 1, 0))).toBe('format');
        expect(codeOf(() => entriesOf(bundleOf(list), list.length + 1))).toBe('format');
        expect(codeOf(() => entriesOf(bundleOf(list), list.length - 1))).toBe('format');
        expect(codeOf(() => entriesOf(bundleOf(list).subarray(1), list.length))).toBe('format');
        expect(codeOf(() => entriesOf(Buffer.concat([bundleOf(list), Buffer.alloc(1)]), list.length))).toBe(
          'format',
        );
      }),
    );
  });

  test('hold entries of up to 65,535 bytes, and hand out copies', () => {
    const bundle = bundleOf([new Uint8Array(65_535)]);
    const [entry] = entriesOf(bundle, 1);
    bundle.fill(1);
    expect(entry).toEqual(new Uint8Array(65_535));
    expect(codeOf(() => bundleOf([new Uint8Array(65_536)]))).toBe('size');
  });
});

/** Keeps tiles as a ledger would: by path, a narrower partial tile served from a wider one. */
class StoredTiles {
  private readonly tiles = new Map<string, Uint8Array>();
  reads = 0;

  put(edge: TileEdge): void {
    for (const { level, index, width, bytes } of edge.takeChanged()) {
      expect(bytes).toHaveLength(width * 32);
      this.tiles.set(`${level}/${index}`, bytes);
    }
  }

  get paths(): string[] {
    return [...this.tiles].map(([key, bytes]) => `${key}:${bytes.length / 32}`).sort();
  }

  async tile(level: number, index: number, width: number): Promise<Uint8Array> {
    this.reads += 1;
    const bytes = this.tiles.get(`${level}/${index}`);
    if (!bytes || bytes.length < width * 32) throw new FirebreakError('not-found', 'no such tile');
    return bytes.subarray(0, width * 32);
  }
}

function grow(edge: TileEdge, leaves: readonly Uint8Array[], to: number): void {
  for (let i = edge.size; i < to; i++) edge.append(leaves[i] ?? new Uint8Array(32));
}

describe('the right edge of a growing log', () => {
  const count = 66_500;
  const entries = numberedEntries(count);
  const leaves = entries.map(leafHash);
  const tree = new ReferenceTree(entries);

  test('gives every tile and root, also when it is read again in between', async () => {
    const stored = new StoredTiles();
    let edge = new TileEdge(new CompactRange(), []);
    for (const size of [0, 1, 2, 255, 256, 257, 511, 512, 513, 2000, 65_535, 65_536, 65_537, 65_793, count]) {
      grow(edge, leaves, size);
      stored.put(edge);
      expect(edge.takeChanged()).toEqual([]);
      const tiles = [...tilesBetween(0, size)]
        .map(({ level, index, width }) => `${level}/${index}:${width}`)
        .sort();
      expect(stored.paths).toEqual(tiles);
      expect(Buffer.from(edge.root())).toEqual(Buffer.from(tree.root(size)));
      edge = await readTileEdge(stored, size);
      expect(edge.size).toBe(size);
    }
    for (const { level, index, width } of tilesBetween(0, count)) {
      const span = 256 ** level;
      const expected = Array.from({ length: width }, (_, i) => {
        const at = (index * 256 + i) * span;
        return tree.root(at + span, at);
      });
      expect(Buffer.from(await stored.tile(level, index, width)).equals(Buffer.concat(expected))).toBe(true);
    }
  });

  test('gives each full tile once, and copies of the partial ones as they stand', () => {
    const edge = new TileEdge(new CompactRange(), []);
    const whole = new TileEdge(new CompactRange(), []);
    const asText = (tiles: readonly TileBytes[]): string[] =>
      tiles.map(({ level, index, width, bytes }) => `${level}/${index}:${width} ${toHex(bytes)}`);
    const full: TileBytes[] = [];
    for (const size of [0, 1, 255, 256, 257, 2000, 65_536, 65_537, count]) {
      grow(edge, leaves, size);
      full.push(...edge.takeFull());
      expect(edge.takeFull()).toEqual([]);
      expect(edge.partial().map(({ level, index, width }) => ({ level, index, width }))).toEqual(
        partialTiles(size),
      );
    }
    grow(whole, leaves, count);
    for (const { bytes } of edge.partial()) bytes.fill(0);
    expect(asText([...full, ...edge.partial()])).toEqual(asText(whole.takeChanged()));
  });

  test('lets proofs be made from its tiles, each tile read once', async () => {
    const stored = new StoredTiles();
    const edge = new TileEdge(new CompactRange(), []);
    grow(edge, leaves, count);
    stored.put(edge);
    const read = tileHashReader(stored, count);
    const root = edge.root();
    expect(Buffer.from(await treeRoot(count, read))).toEqual(Buffer.from(root));
    for (const index of [0, 255, 256, 65_535, 65_536, count - 1, 31_337]) {
      stored.reads = 0;
      const proof = await proveInclusion(index, count, read);
      checkInclusion(proof, { index, size: count, leaf: leaves[index] ?? root, root });
      expect(stored.reads).toBeLessThanOrEqual(6);
    }
    for (const oldSize of [1, 255, 256, 257, 65_536, 65_999, count - 1]) {
      const proof = await proveConsistency(oldSize, count, read);
      checkConsistency(proof, { oldSize, oldRoot: tree.root(oldSize), newSize: count, newRoot: root });
    }
  });

  test('reads tiles above the lowest level once for many proofs, and one that could not be read again', async () => {
    const stored = new StoredTiles();
    const edge = new TileEdge(new CompactRange(), []);
    grow(edge, leaves, count);
    stored.put(edge);
    let isAway = true;
    const asked: string[] = [];
    const tile = async (level: number, index: number, width: number): Promise<Uint8Array> => {
      asked.push(`${level}/${index}`);
      if (level === 1 && isAway) throw new FirebreakError('closed', 'away');
      return stored.tile(level, index, width);
    };
    const read = tileHashReader({ tile }, count);
    await expect(proveInclusion(300, count, read)).rejects.toMatchObject({ code: 'closed' });
    isAway = false;
    for (const index of [300, 301, 40_000]) {
      const proof = await proveInclusion(index, count, read);
      checkInclusion(proof, { index, size: count, leaf: leaves[index] ?? edge.root(), root: edge.root() });
    }
    const above = asked.filter((path) => !path.startsWith('0/')).sort();
    expect(above).toEqual(['1/0', '1/0', '1/1', '1/1']); // each once in vain
    expect(asked.filter((path) => path === '0/1')).toHaveLength(3); // of the lowest level, each time
  });

  test('refuses a tile of another length', async () => {
    const read = tileHashReader({ tile: async () => new Uint8Array(31) }, 300);
    await expect(read([{ level: 0, index: 0 }])).rejects.toMatchObject({ code: 'damaged' });
  });

  test('does not read hashes that the log does not have', async () => {
    const read = tileHashReader({ tile: async () => new Uint8Array(32 * 44) }, 300);
    await expect(read([{ level: 0, index: 300 }])).rejects.toMatchObject({ code: 'not-found' });
    await expect(read([{ level: 3, index: 37 }])).rejects.toMatchObject({ code: 'not-found' });
    await expect(read([{ level: 8, index: 1 }])).rejects.toMatchObject({ code: 'not-found' });
  });
});
