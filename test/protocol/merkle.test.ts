import { describe, expect, test } from 'vitest';
import { rootOfLeaves } from '../../protocol/tlog/compact-range.js';
import {
  checkConsistency,
  checkInclusion,
  emptyRoot,
  leafHash,
  nodeHash,
  planConsistency,
  planInclusion,
  planRoot,
  proveConsistency,
  proveInclusion,
  treeRoot,
} from '../../protocol/tlog/merkle.js';
import { codeOf, withFlippedBit } from './errors-of.js';
import { numberedEntries, ReferenceTree } from './reference-tree.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const LARGEST = 300;

describe('the tree of eight leaves that RFC 6962 implementations are tested with', () => {
  const leaves = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ];
  const roots = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ];
  const entries = leaves.map((leaf) => Buffer.from(leaf, 'hex'));
  const read = new ReferenceTree(entries).read;

  test('has the known root at every size', async () => {
    expect(hex(emptyRoot())).toBe(roots[0]);
    for (const [size, root] of roots.entries()) {
      expect(hex(rootOfLeaves(entries.slice(0, size).map(leafHash)))).toBe(root);
      expect(hex(await treeRoot(size, read))).toBe(root);
    }
  });

  test.each([
    [0, 1, []],
    [
      0,
      8,
      [
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ],
    ],
    [
      5,
      8,
      [
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    ],
    [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
    [
      1,
      5,
      [
        '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      ],
    ],
  ])('has the known inclusion proof of leaf %i in %i', async (index, size, proof) => {
    expect((await proveInclusion(index, size, read)).map(hex)).toEqual(proof);
  });

  test.each([
    [1, 1, []],
    [
      1,
      8,
      [
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ],
    ],
    [
      6,
      8,
      [
        '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    ],
    [
      2,
      5,
      [
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      ],
    ],
  ])('has the known consistency proof from %i to %i', async (oldSize, newSize, proof) => {
    expect((await proveConsistency(oldSize, newSize, read)).map(hex)).toEqual(proof);
  });
});

/** What a forger might do to a proof: each of these must be refused. */
function mangled(proof: readonly Uint8Array[], seed: number): Uint8Array[][] {
  const bit = seed % 256;
  const at = proof.length === 0 ? 0 : seed % proof.length;
  const forged = [
    [...proof, new Uint8Array(32)],
    [new Uint8Array(32), ...proof],
  ];
  if (proof.length === 0) return forged;
  forged.push(proof.slice(1), proof.slice(0, -1));
  forged.push(proof.map((hash, i) => (i === at ? withFlippedBit(hash, bit) : hash)));
  forged.push(proof.map((hash, i) => (i === at ? hash.subarray(0, 31) : hash)));
  if (proof.length > 1) forged.push([...proof.slice(1), ...proof.slice(0, 1)], [...proof].reverse());
  return forged;
}

describe(`trees of 0 to ${LARGEST} leaves`, () => {
  const tree = new ReferenceTree(numberedEntries(LARGEST));

  test('have the root of RFC 6962, from stored hashes and by appending', async () => {
    const leaves = numberedEntries(LARGEST).map(leafHash);
    for (let size = 0; size <= LARGEST; size++) {
      expect(hex(await treeRoot(size, tree.read))).toBe(hex(tree.root(size)));
      expect(hex(rootOfLeaves(leaves.slice(0, size)))).toBe(hex(tree.root(size)));
    }
  });

  test('prove and check the inclusion of every leaf, and refuse every mangled proof', async () => {
    for (let size = 1; size <= LARGEST; size++) {
      for (let index = 0; index < size; index++) {
        const proof = await proveInclusion(index, size, tree.read);
        const claim = { index, size, leaf: tree.leaf(index), root: tree.root(size) };
        checkInclusion(proof, claim);
        const forged = mangled(proof, index + size);
        if (forged.some((other) => codeOf(() => checkInclusion(other, claim)) !== 'proof'))
          expect.fail(`${index}/${size}`);
        if (size === 1) continue;
        const elsewhere = { ...claim, index: (index + 1) % size };
        if (codeOf(() => checkInclusion(proof, elsewhere)) !== 'proof')
          expect.fail(`${index}/${size} elsewhere`);
      }
    }
  });

  test('prove and check consistency between every two sizes, and refuse every mangled proof', async () => {
    for (let newSize = 0; newSize <= LARGEST; newSize++) {
      for (let oldSize = 0; oldSize <= newSize; oldSize++) {
        const proof = await proveConsistency(oldSize, newSize, tree.read);
        const claim = { oldSize, newSize, oldRoot: tree.root(oldSize), newRoot: tree.root(newSize) };
        checkConsistency(proof, claim);
        const codes = mangled(proof, oldSize + newSize).map((other) =>
          codeOf(() => checkConsistency(other, claim)),
        );
        if (codes.some((code) => code !== 'proof' && code !== 'consistency'))
          expect.fail(`${oldSize}-${newSize}`);
        if (oldSize === 0) continue;
        const [oldRoot, newRoot] = [withFlippedBit(claim.oldRoot, 7), withFlippedBit(claim.newRoot, 7)];
        if (codeOf(() => checkConsistency(proof, { ...claim, oldRoot })) !== 'consistency')
          expect.fail('old root');
        if (codeOf(() => checkConsistency(proof, { ...claim, newRoot })) !== 'consistency')
          expect.fail('new root');
      }
    }
  });
});

describe('a proof', () => {
  const tree = new ReferenceTree(numberedEntries(8));

  test('is refused for leaves and sizes that do not exist', async () => {
    expect(codeOf(() => planInclusion(8, 8))).toBe('proof');
    expect(codeOf(() => planInclusion(-1, 8))).toBe('proof');
    expect(codeOf(() => planConsistency(9, 8))).toBe('proof');
    const claim = { index: 8, size: 8, leaf: tree.leaf(0), root: tree.root(8) };
    expect(codeOf(() => checkInclusion([], claim))).toBe('proof');
    expect(codeOf(() => checkInclusion([], { ...claim, index: 0.5 }))).toBe('proof');
    const backwards = { oldSize: 8, newSize: 7, oldRoot: tree.root(8), newRoot: tree.root(7) };
    expect(codeOf(() => checkConsistency([], backwards))).toBe('proof');
  });

  test('of consistency holds for an old empty tree only with its own root', () => {
    const claim = { oldSize: 0, newSize: 8, oldRoot: tree.root(7), newRoot: tree.root(8) };
    expect(codeOf(() => checkConsistency([], claim))).toBe('consistency');
  });

  test('of consistency from a tree to itself needs one root, not two', () => {
    const claim = { oldSize: 8, newSize: 8, oldRoot: tree.root(7), newRoot: tree.root(8) };
    expect(codeOf(() => checkConsistency([], claim))).toBe('consistency');
  });

  test('is planned for sizes far beyond 32 bits', () => {
    const size = 2 ** 53 - 1;
    expect(planRoot(size).coordinates).toHaveLength(53);
    expect(planInclusion(2 ** 52 + 5, size).groups.length).toBeGreaterThan(50);
    expect(planConsistency(2 ** 52, size).groups).toHaveLength(1);
  });

  test('asks its reader once, and not at all for nothing', async () => {
    let asked = 0;
    const read = (coordinates: Parameters<typeof tree.read>[0]) => {
      asked += 1;
      return tree.read(coordinates);
    };
    await proveInclusion(3, 8, read);
    expect(asked).toBe(1);
    await proveInclusion(0, 1, read);
    await proveConsistency(8, 8, read);
    expect(asked).toBe(1);
  });

  test('cannot pass off a node as a leaf', () => {
    const pair = Buffer.concat([tree.leaf(0), tree.leaf(1)]);
    expect(hex(leafHash(pair))).not.toBe(hex(nodeHash(tree.leaf(0), tree.leaf(1))));
  });
});
